"""The supervisor's port: what runs, and orders to it. Loopback only."""

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = ("127.0.0.1", "localhost", "[::1]")
_CLOSE_SECONDS = 2


class Loopback:
    """Refuse what a web page could make a browser send: a foreign `Host` (DNS rebinding) or any `Origin`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what came from this machine's own programs."""
        if scope["type"] == "http" and not _is_local(dict(scope["headers"])):
            await JSONResponse({"error": "this port answers programs of this machine only"}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_local(headers: Mapping[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
    return host in LOCAL and b"origin" not in headers


class Orders:
    """What the control port may ask of a supervisor."""

    def __init__(
        self, status: Callable[[], dict[str, Any]], stop: Callable[[], None], restart: Callable[[str], Awaitable[None]]
    ) -> None:
        self.status, self.stop, self.restart = status, stop, restart
        self.under_way: set[asyncio.Task[None]] = set()


def application(orders: Orders, secret: str) -> ASGIApp:
    """`GET /status` for everybody on this machine; `POST /stop` and `POST /restart/{part}` with the secret."""

    async def status(_: Request) -> Response:
        return JSONResponse(orders.status())

    async def stop(request: Request) -> Response:
        if not _knows(request, secret):
            return _refused()
        orders.stop()
        return JSONResponse({"stopping": True}, 202)

    async def restart(request: Request) -> Response:
        if not _knows(request, secret):
            return _refused()
        name = request.path_params["part"]
        known = [part["name"] for part in orders.status()["parts"]]
        if name not in known:
            return JSONResponse({"error": f"no part is called {name}", "parts": known}, 404)
        task = asyncio.ensure_future(orders.restart(name))
        orders.under_way.add(task)
        task.add_done_callback(orders.under_way.discard)
        return JSONResponse({"restarting": name}, 202)

    routes = [
        Route("/status", status),
        Route("/stop", stop, methods=["POST"]),
        Route("/restart/{part}", restart, methods=["POST"]),
    ]
    return Loopback(Starlette(routes=routes))


def _knows(request: Request, secret: str) -> bool:
    shown = request.headers.get("authorization", "")
    return hmac.compare_digest(shown.encode(), f"Bearer {secret}".encode())


def _refused() -> Response:
    return JSONResponse({"error": "orders need the service secret", "remedy": "Authorization: Bearer SECRET"}, 401)


class ControlServer(uvicorn.Server):
    """A server that leaves signals to the supervisor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def server(app: ASGIApp, port: int) -> ControlServer:
    """The control port's server on loopback."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=_CLOSE_SECONDS
    )
    return ControlServer(config)
