"""Notifications through Apprise to a real HTTP receiver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from services.alerter.notify import NotificationError, channels, deliver_due
from services.alerter.store import Notifications

from .test_watch import Stage, toxic

# a plugin of Apprise that is not used here imports it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def found(receiver):
    return channels(SecretStr(f"json://127.0.0.1:{receiver.server_port}/"))


@pytest.fixture
def notifications(tmp_path, found):
    stage = Stage(tmp_path)
    stage.watch._channels = list(found)
    stage.emit(toxic(0))
    stage.emit(toxic(1))
    yield Notifications(stage.engine)
    stage.engine.dispose()


def test_a_firing_alert_is_told_once(receiver, found, notifications):
    deliver_due(notifications, found, 1e10)
    deliver_due(notifications, found, 1e10)
    (sent,) = receiver.received
    assert sent["title"] == "[firing] toxic-responses: docs-bot"
    assert "response_toxicity of docs-bot v2" in sent["message"]


def test_what_was_not_taken_is_tried_again_later(receiver, found, notifications):
    receiver.status = 503
    deliver_due(notifications, found, 1e10)
    deliver_due(notifications, found, 1e10 + 1)
    assert len(receiver.received) == 1
    receiver.status = 200
    deliver_due(notifications, found, 1e10 + 6)
    deliver_due(notifications, found, 1e10 + 700)
    assert len(receiver.received) == 2


def test_a_channel_that_is_gone_is_given_up(receiver, notifications):
    deliver_due(notifications, {}, 1e10)
    assert not notifications.due(1e10)
    assert receiver.received == []


def test_a_wrong_address_is_refused_without_showing_it():
    with pytest.raises(NotificationError, match="address 1") as refused:
        channels(SecretStr("nonsense:hunter2"))
    assert "hunter2" not in str(refused.value)
