"""A gateway that speaks the wire and fails on demand, and clients of it."""

import gzip
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tidemark import Client, spool


class Gateway:
    """`POST /v1/calls`, `POST /v1/feedback` and `GET /v1/deployments/…` on a real socket.

    `answers` are taken first, one a request: a status, (status, headers), or a function from events to results.
    Whatever is stored is in `calls` and `feedback` by id, as often as it came in `arrivals`.
    """

    def __init__(self):
        self.calls, self.feedback, self.arrivals = {}, {}, []
        self.answers, self.batches, self.requests, self.polls = deque(), [], [], []
        self.largest_batch = 1000
        self.deployment, self.etag = None, 0
        self.changed = threading.Condition()
        self.start()

    def start(self, port=0):
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                gateway._post(self)

            def do_GET(self):
                gateway._get(self)

            def log_message(self, *parts):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a client that was killed in the middle is no news

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait(self, condition, seconds=20):
        """Until `condition()` holds; fails the test where it never does."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds)

    def _post(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        kind, batch = handler.path.rsplit("/", 1)[1], json.loads(body)
        with self.changed:
            self.requests.append(handler.headers)
            status, headers, answer = self._answer(kind, batch)
            self.changed.notify_all()
        _reply(handler, status, headers, answer)

    def _answer(self, kind, batch):
        events = batch[kind]
        plan = self.answers.popleft() if self.answers else None
        if isinstance(plan, int):
            return plan, {}, {"error": {"code": "planned", "field": "call", "message": "as planned", "remedy": "none"}}
        if isinstance(plan, tuple):
            return *plan, {}
        if len(events) > self.largest_batch:
            return 413, {}, {"error": {"code": "too_large"}}
        self.batches.append(batch)
        return 200, {}, {"results": plan(events) if plan else [self.store(kind, event) for event in events]}

    def store(self, kind, event):
        key = "call_id" if kind == "calls" else "feedback_id"
        getattr(self, kind)[event[key]] = event
        self.arrivals.append(event[key])
        return {key: event[key], "status": "stored"}

    def _get(self, handler):
        with self.changed:
            self.polls.append(handler.headers)
            tag = f'"{self.etag}"'
            fresh = handler.headers.get("If-None-Match") != tag
            status = 404 if self.deployment is None else 200 if fresh else 304
            self.changed.notify_all()
        _reply(handler, status, {"ETag": tag}, self.deployment or {}, bodiless=status == 304)


def _reply(handler, status, headers, answer, *, bodiless=False):
    body = b"" if bodiless else json.dumps(answer).encode()
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def gateway():
    gateway = Gateway()
    yield gateway
    gateway.stop()


@pytest.fixture
def make_client(gateway, tmp_path):
    """Clients of the gateway that try again at once, closed after the test."""
    made = []

    def make(**options):
        given = {
            "url": gateway.url,
            "api_key": "td_key",
            "app": "support",
            "version": "v1",
            "spool": tmp_path / "spool",
            "ledger": tmp_path / "ledger",
            "linger_seconds": 0.01,
            "longest_backoff_seconds": 0.05,
        }
        made.append(Client(**{**given, **options}))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def ledger(tmp_path):
    """The ids in the ledger, in order."""
    path = tmp_path / "ledger"
    return lambda: path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def spooled(tmp_path):
    """What lies in any spool, readable by checksum."""

    def read():
        paths = sorted((tmp_path / "spool").rglob("*.spool"))
        return [json.loads(payload) for path in paths for payload in spool.read(path)[0]]

    return read
