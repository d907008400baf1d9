"""To the gateway over HTTP: one kept connection, gzip, a verdict for every event."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zlib import MAX_WBITS, compressobj

from tidemark.release import __version__
from tidemark.transport import CALLS, RETRY, Indigestible, Item, Unavailable, Verdict

if TYPE_CHECKING:
    from tidemark.settings import Settings

NONE: Mapping[str, str] = MappingProxyType({})
SMALLEST_COMPRESSED_BYTES = 1024
LONGEST_ANSWER_BYTES = 8 * 2**20
CONNECT_SECONDS = 3.0


class Http:
    """A kept connection to one server, with a bearer key. One thread at a time, except `abort`."""

    def __init__(self, url: str, *, api_key: str, timeout_seconds: float) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            # Looked up here and not by the thread that connects: a fork in the middle of that import leaves the child
            # without the codec for good.
            host.encode("idna")
        except ValueError:
            host = ""
        if not host or parts.scheme not in {"http", "https"}:
            raise ValueError("url cannot be read: give http://host:port or https://host")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(host, port, timeout=min(CONNECT_SECONDS, timeout_seconds))
        self._timeout_seconds = timeout_seconds
        self._aborted = False
        self._path = parts.path.rstrip("/")
        self._headers = {"User-Agent": f"tidemark/{__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] = NONE
    ) -> tuple[HTTPResponse, bytes]:
        """The answer and its body. Raises `OSError` or `HTTPException`; the next request connects again.

        A kept connection that the server closed meanwhile is tried once more on a fresh one: repeats are harmless.
        After `abort` nothing is tried.
        """
        kept = self._connection.sock is not None
        try:
            return self._once(method, path, body, headers)
        except (ConnectionError, HTTPException):
            self._connection.close()
            if self._aborted or not kept:
                raise
        except OSError:
            self._connection.close()
            raise
        return self._once(method, path, body, headers)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        if self._connection.sock is None:
            self._connection.connect()
            kept: Any = self._connection.sock
            kept.settimeout(self._timeout_seconds)
        # Not before there is a connection: an abort that found none to shut down is seen here.
        if self._aborted:
            raise ConnectionAbortedError("the client ends")
        self._connection.request(method, self._path + path, body=body, headers={**self._headers, **headers})
        response = self._connection.getresponse()
        return response, response.read(LONGEST_ANSWER_BYTES)

    def abort(self) -> None:
        """Make a request that waits fail, and every later one, from another thread."""
        self._aborted = True
        kept = self._connection.sock
        if kept is not None:
            with suppress(OSError):
                kept.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class HttpTransport:
    """`POST /v1/calls` and `POST /v1/feedback`, as documented for the gateway."""

    def __init__(self, http: Http, *, instance: str) -> None:
        self._http, self._instance = http, instance
        self.abort, self.close = http.abort, http.close

    def send(self, items: list[Item], *, dropped: int) -> list[Verdict]:
        """As `Transport.send`: 2xx by verdict, 400, 413 and 422 `Indigestible`, anything else `Unavailable`."""
        kind = items[0].kind
        body = self._body(kind, items, dropped)
        headers = {"Content-Type": "application/json"}
        if len(body) >= SMALLEST_COMPRESSED_BYTES:
            body, headers["Content-Encoding"] = _gzip(body), "gzip"
        try:
            response, answer = self._http.ask("POST", f"/v1/{kind}", body=body, headers=headers)
        except (OSError, HTTPException) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        if 200 <= response.status < 300:
            return _verdicts(kind, items, _parsed(answer))
        if response.status in {400, 413, 422}:
            raise Indigestible(_refusal(response.status, _parsed(answer)))
        raise Unavailable(_why(response.status), retry_after_seconds=_pause(response.getheader("Retry-After")))

    def _body(self, kind: str, items: list[Item], dropped: int) -> bytes:
        events = b",".join(item.payload for item in items)
        client = json.dumps({"instance": self._instance, "dropped": dropped, "version": __version__}).encode()
        return b'{"%s":[%s],"client":%s}' % (kind.encode(), events, client)


def connect(settings: Settings, instance: str) -> HttpTransport:
    """The transport to the gateway that the settings name; connects with the first batch."""
    http = Http(settings.url, api_key=settings.api_key, timeout_seconds=settings.request_seconds)
    return HttpTransport(http, instance=instance)


def _gzip(body: bytes) -> bytes:
    """Fastest level: the sender shares its processor with the application."""
    compressor = compressobj(1, wbits=MAX_WBITS | 16)
    return compressor.compress(body) + compressor.flush()


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None


def _verdicts(kind: str, items: list[Item], answer: Any) -> list[Verdict]:
    """By id; an event without a verdict is tried again."""
    results = answer.get("results") if isinstance(answer, dict) else None
    key = "call_id" if kind == CALLS else "feedback_id"
    said = {str(result.get(key)): result for result in results or () if isinstance(result, dict)}
    return [_verdict(said.get(item.id, {})) for item in items]


def _verdict(result: dict[str, Any]) -> Verdict:
    if result.get("status") not in {"stored", "rejected"}:
        return RETRY
    field, message, remedy = (str(result.get(name) or "") for name in ("field", "message", "remedy"))
    return Verdict(str(result["status"]), field, message, remedy)


def _refusal(status: int, answer: Any) -> Verdict:
    error = answer.get("error") if isinstance(answer, dict) else None
    said = error if isinstance(error, dict) else {}
    field, message, remedy = (str(said.get(name) or "") for name in ("field", "message", "remedy"))
    return Verdict("rejected", field, message or f"the gateway answered {status}", remedy)


def _why(status: int) -> str:
    meaning = {
        401: "the API key is missing or wrong",
        403: "the API key may not emit",
        404: "there is no gateway at this address",
        429: "the gateway asks for a pause",
    }
    return f"HTTP {status}, {meaning.get(status, 'not available')}"


def _pause(header: str | None) -> float:
    """`Retry-After` in seconds, at most five minutes; a date counts from this machine's clock."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), 300.0)
