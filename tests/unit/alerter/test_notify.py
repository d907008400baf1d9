"""Notifications through Apprise to a real HTTP receiver."""

import asyncio
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from services.alerter.config import Config
from services.alerter.notify import NotificationError, Notifier, channels, deliver_next
from services.alerter.store import Notifications
from services.shared.process import Process

from .streams import at
from .test_watch import GOOD, Stage, toxic

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


def deliver(notifications, found, now_seconds):
    [(name, channel)] = found.items()
    return deliver_next(notifications, name, channel, now_seconds)


def test_a_firing_alert_is_told_once(receiver, found, notifications):
    assert [deliver(notifications, found, 1e10) for _ in range(2)] == [True, False]
    (sent,) = receiver.received
    assert sent["title"] == "[firing] toxic-responses: docs-bot"
    assert "response_toxicity of docs-bot v2" in sent["message"]


def test_what_calls_are_named_is_no_markup_where_html_is_sent(receiver, tmp_path):
    found = channels(SecretStr(f"json://127.0.0.1:{receiver.server_port}/?format=html"))
    stage = Stage(tmp_path)
    stage.watch._channels = list(found)
    for index in range(2):
        stage.emit(toxic(index, version="<b>v2</b>"))
    assert deliver(Notifications(stage.engine), found, 1e10)
    stage.engine.dispose()
    (sent,) = receiver.received
    assert "v2" in sent["message"]
    assert "<b>" not in sent["message"]


def test_what_was_not_taken_is_tried_again_later(receiver, found, notifications):
    receiver.status = 503
    assert [deliver(notifications, found, 1e10 + later) for later in (0, 1)] == [True, False]
    assert len(receiver.received) == 1
    receiver.status = 200
    assert [deliver(notifications, found, 1e10 + later) for later in (6, 700)] == [True, False]
    assert len(receiver.received) == 2


def test_what_comes_after_waits_for_what_was_not_taken(receiver, found, notifications, tmp_path):
    receiver.status = 503
    assert deliver(notifications, found, 1e10)
    stage = Stage(tmp_path)
    stage.watch._channels = list(found)
    told = [stage.emit(toxic(index, GOOD)) for index in (2, 3, 4)]
    stage.engine.dispose()
    assert told[2] == [("toxic-responses", "resolved")]
    receiver.status = 200
    receiver.received.clear()
    assert [deliver(notifications, found, 1e10 + later) for later in (1, 6, 6, 6)] == [False, True, True, False]
    assert [sent["title"].split()[0] for sent in receiver.received] == ["[firing]", "[resolved]"]


def test_what_was_given_up_holds_up_nothing(receiver, found, notifications, tmp_path):
    notifications.give_up([], 1e10)
    stage = Stage(tmp_path)
    stage.watch._channels = list(found)
    for index in (2, 3, 4):
        stage.emit(toxic(index, GOOD))
    stage.engine.dispose()
    assert deliver(notifications, found, 1e10)
    assert receiver.received[0]["title"].startswith("[resolved]")


def test_a_channel_that_is_gone_is_given_up(receiver, found, notifications):
    assert notifications.give_up(found, 1e10) == 0
    assert notifications.give_up([], 1e10) == 1
    assert not deliver(notifications, found, 1e10)
    assert receiver.received == []


async def test_a_receiver_that_does_not_answer_holds_up_no_other_channel(receiver, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never says a word
        ports = (silent.getsockname()[1], receiver.server_port)
        both = channels(SecretStr(" ".join(f"json://127.0.0.1:{port}/" for port in ports)))
        stage = Stage(tmp_path)
        stage.watch._channels = list(both)
        for index in range(2):
            stage.emit(toxic(index))
        stage.watch.step(at(14_420))  # and once more, as a reminder
        process = Process(Config())
        running = asyncio.create_task(Notifier(Notifications(stage.engine), both).run(process))
        async with asyncio.timeout(3):  # the silent one takes four seconds for each
            while len(receiver.received) < 2:
                await asyncio.sleep(0.05)
        process.stopping.set()
        await running
        stage.engine.dispose()


def test_a_wrong_address_is_refused_without_showing_it():
    with pytest.raises(NotificationError, match="address 1") as refused:
        channels(SecretStr("nonsense:hunter2"))
    assert "hunter2" not in str(refused.value)
