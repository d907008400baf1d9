"""A request's body: a stranger's is never read, and of nobody's more than is allowed."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.shared.access import Guard
from services.shared.problem import Problem

# The largest body is a version with its prompts, and few are a tenth of this. A deployment's message carries it, and
# its topic takes eight times as much: room for what else is in there, and for numbers that are written out longer.
MOST_BYTES = 1024 * 1024


class Body:
    """Reads the body for the application, which would read all of it before it asks who sends it.

    Starlette's own limit answers in another shape, and asks nobody. 401 for a body without a known credential, before
    it is read; 413 above `MOST_BYTES`, of which no more is held. A request without a body passes as it is.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http" or not _has_body(request := Request(scope, receive)):
            await self._app(scope, receive, send)
            return
        try:
            self._guard.known(request)
            body = await _collected(request.stream())
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        except ClientDisconnect:
            return
        await self._app(scope, _again(body, receive), send)


def _has_body(request: Request) -> bool:
    return request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers


async def _collected(chunks: AsyncIterator[bytes]) -> bytes:
    collected = bytearray()
    async for chunk in chunks:
        collected += chunk
        if len(collected) > MOST_BYTES:
            raise Problem(
                413,
                "too_large",
                f"the body is larger than {MOST_BYTES} bytes",
                field="body",
                remedy="register the digest of what is large instead of it",
            )
    return bytes(collected)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body in one piece, then whatever comes after it."""
    pieces: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_one() -> Message:
        return pieces.pop() if pieces else await receive()

    return next_one
