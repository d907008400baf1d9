"""Which version serves: asked of the gateway in the background, kept on disk, given before any answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tidemark.deployment import Answer
from tidemark.reports import Reports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.transport_http import Http


class Deployments:
    """Keeps the newest answer about one app and environment.

    `newest` never waits. A gateway that does not answer changes nothing: the last answer stands, in a later process
    too, since it is kept in `file`.
    """

    def __init__(self, path: str, *, file: Path, default: str, connect: Callable[[], Http]) -> None:
        self._path, self._file, self._connect = path, file, connect
        self._reports = Reports()
        self.newest = _kept(file) or Answer({"version": default}, "default")
        self.changed: Callable[[Answer], None] = lambda _: None
        self._etag = ""
        self._ended = Event()
        self.answered = Event()
        self._thread: Thread | None = None

    def start(self, poll_seconds: float) -> None:
        """Poll in a thread from here on."""
        if self._thread is None:
            thread = Thread(target=self._poll, args=(poll_seconds,), name="tidemark-deployment", daemon=True)
            thread.start()
            self._thread = thread

    def close(self) -> None:
        """Stop polling."""
        self._ended.set()

    def ask(self, http: Http) -> None:
        """Ask once. Raises what the connection raises."""
        headers = {"If-None-Match": self._etag} if self._etag else {}
        response, body = http.ask("GET", self._path, headers=headers)
        if response.status == 200:
            self._etag = response.getheader("ETag") or ""
            self._take(json.loads(body))
        elif response.status not in {304, 404}:
            self._reports.warn("deployment", "The deployment cannot be read: HTTP %d.", response.status)
        self.answered.set()

    def _take(self, body: Any) -> None:
        if not isinstance(body, dict) or not isinstance(body.get("version"), str):
            raise ValueError("the gateway's answer names no version")
        self.newest = Answer(body, "gateway")
        self.changed(self.newest)
        _keep(self._file, body)

    def _poll(self, seconds: float) -> None:
        http = self._connect()
        while not self._ended.is_set():
            try:
                self.ask(http)
            except Exception as error:  # whatever is wrong, the last answer stands
                self._reports.warn("deployment", "The deployment cannot be read: %r.", error)
            self._ended.wait(seconds)
        http.close()


def route(app: str, environment: str) -> str:
    """The path of a deployment.

    >>> route("support chat", "production")
    '/v1/deployments/support%20chat/production'
    """
    return f"/v1/deployments/{quote(app, safe='')}/{quote(environment, safe='')}"


def _kept(file: Path) -> Answer | None:
    try:
        body = json.loads(file.read_bytes())
        return Answer({**body, "version": str(body["version"])}, "disk")
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(file: Path, body: Mapping[str, Any]) -> None:
    """Replace the file as a whole: a reader sees the old answer or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(body))
    fresh.replace(file)
