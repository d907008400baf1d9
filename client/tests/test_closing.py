"""A client whose gateway takes connections and does not answer: what `emit` does then, and the end."""

import contextlib
import socket
import sys
import threading
import time
from types import SimpleNamespace

import pytest

EXIT_SECONDS = 2.0
WAITS = {"sleep", "acquire", "__enter__", "__exit__", "wait", "join", "put", "get", "select", "recv"}


class Hanging:
    """Answers the first request, on a connection that may be kept, and no other, on whatever connection it comes."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections = []
        self.asked_again = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        first = True
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection, first), daemon=True).start()
                first = False

    def _serve(self, connection, first):
        with contextlib.suppress(OSError):
            request = b"" if first else connection.recv(65_536)
            while first and not request.endswith(b"}}"):
                request += connection.recv(65_536)
            if first:
                call_id = request.split(b'"call_id":"')[1][:36]
                body = b'{"results":[{"call_id":"%s","status":"stored"}]}' % call_id
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                connection.recv(65_536)
            self.asked_again.set()

    def close(self):
        self._listener.close()
        for connection in self._connections:
            connection.close()


@pytest.fixture
def hanging():
    gateway = Hanging()
    yield gateway
    gateway.close()


def queued(client, hanging):
    """Calls of which some wait for an answer that does not come, and some in the queue."""
    first = client.emit(prompt="answered")
    assert client.flush(10)
    assert client.stats().acknowledged == 1
    call_ids = [client.emit(prompt="sent")]
    assert hanging.asked_again.wait(10)
    return first, call_ids + [client.emit(prompt=str(number)) for number in range(50)]


def called_by(work):
    """The names of all functions, of C too, that this thread calls in `work`."""
    names = set()
    profiler = sys.getprofile()
    sys.setprofile(lambda frame, _, given: names.add(getattr(given, "__name__", frame.f_code.co_name)))
    try:
        work()
    finally:
        sys.setprofile(profiler)
    return names


def closed_within(client, seconds):
    begun = time.monotonic()
    client.close()
    return time.monotonic() - begun < seconds


@pytest.mark.parametrize("act", ["emit", "feedback"])
def test_what_an_application_hands_over_waits_for_nothing_though_the_queue_is_full(hanging, make_client, act):
    client = make_client(url=hanging.url, exit_seconds=0.2, queue_calls=60)
    queued(client, hanging)
    hand_over = getattr(client, act)
    called = called_by(lambda: [hand_over() for _ in range(100)])
    assert client.stats().dropped > 0
    assert "append" in called
    assert not called & WAITS


def test_what_the_gateway_does_not_answer_at_the_end_is_in_the_spool(make_client, hanging, spooled, ledger):
    client = make_client(url=hanging.url, exit_seconds=EXIT_SECONDS)
    first, call_ids = queued(client, hanging)
    in_time = closed_within(client, EXIT_SECONDS)
    assert [call["call_id"] for call in spooled()] == call_ids
    assert in_time
    assert ledger() == [first, *call_ids]
    assert (client.stats().acknowledged, client.stats().dropped, client.stats().queued) == (52, 0, 0)


def test_what_no_spool_takes_at_the_end_is_counted(make_client, hanging, tmp_path):
    (tmp_path / "file").write_text("")
    client = make_client(url=hanging.url, exit_seconds=EXIT_SECONDS, spool=tmp_path / "file")
    queued(client, hanging)
    in_time = closed_within(client, EXIT_SECONDS)
    assert (client.stats().acknowledged, client.stats().dropped, client.stats().queued) == (1, 51, 0)
    assert in_time


@pytest.fixture
def lookup(monkeypatch):
    """A name server that does not answer before `lookup.over` is set: `lookup.asked` says that it was asked."""
    lookup = SimpleNamespace(asked=threading.Event(), over=threading.Event())

    def stuck(*_given, **_options):
        lookup.asked.set()
        lookup.over.wait()
        raise socket.gaierror("timed out")

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    yield lookup
    lookup.over.set()


def looking_up(make_client, lookup, **options):
    """A client of which one call waits for a lookup and 50 in the queue, and the ids."""
    client = make_client(url="http://gateway.example:8700", exit_seconds=EXIT_SECONDS, **options)
    call_ids = [client.emit(prompt="sent")]
    assert lookup.asked.wait(10)
    return client, call_ids + [client.emit(prompt=str(number)) for number in range(50)]


def test_what_waits_for_the_lookup_of_a_name_at_the_end_is_in_the_spool(make_client, lookup, spooled, ledger):
    client, call_ids = looking_up(make_client, lookup)
    in_time = closed_within(client, EXIT_SECONDS)
    assert [call["call_id"] for call in spooled()] == call_ids == ledger()
    assert in_time
    assert (client.stats().acknowledged, client.stats().dropped, client.stats().queued) == (51, 0, 0)


def test_what_waits_for_the_lookup_of_a_name_and_no_spool_takes_is_counted(make_client, lookup, tmp_path):
    (tmp_path / "file").write_text("")
    client, _ = looking_up(make_client, lookup, spool=tmp_path / "file")
    in_time = closed_within(client, EXIT_SECONDS)
    assert (client.stats().acknowledged, client.stats().dropped, client.stats().queued) == (0, 51, 0)
    assert in_time


def test_a_lookup_that_fails_after_the_end_repeats_nothing(make_client, lookup, spooled, ledger):
    client, call_ids = looking_up(make_client, lookup)
    client.close()
    lookup.over.set()
    client._background.sender._thread.join(10)
    assert [call["call_id"] for call in spooled()] == call_ids == ledger()
    assert client.stats().acknowledged == 51
