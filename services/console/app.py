"""ClickHouse in, the page and its data out."""

import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError
from fastapi import FastAPI, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from services.console import routes
from services.console.config import Config
from services.console.store import Store
from services.shared.clickhouse import client

FOLDER = Path(__file__).parent
Next = Callable[[Request], Awaitable[Response]]
# Charts set styles through the object model, which this policy allows; markup may bring neither style nor script.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def build(config: Config) -> FastAPI:
    """The page on the read-only side of the store."""
    return web(Store(lambda: client(config)), config, lambda: datetime.now(UTC))


def web(store: Store, config: Config, clock: Callable[[], datetime]) -> FastAPI:
    """The application: pages and data, each answer under the page's policy, the password asked for where one is set."""
    app = FastAPI(title="Tidemark console", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(routes.router(store, clock))
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_exception_handler(ClickHouseError, _store_away)
    password = config.password.get_secret_value()

    @app.middleware("http")
    async def guarded(request: Request, call_next: Next) -> Response:
        if password and not _knows(request, password):
            return Response("The page needs its password.", 401, {"WWW-Authenticate": 'Basic realm="Tidemark"'})
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    # A page elsewhere must not reach this one through a name that it made point here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=config.allowed_hosts)
    return app


def _knows(request: Request, password: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, word = b64decode(given).decode().partition(":")
    except ValueError:  # no base64, no ASCII or no UTF-8
        return False
    known = secrets.compare_digest(word.encode(), password.encode())
    return scheme.lower() == "basic" and user == "tidemark" and known


async def _store_away(_request: Request, error: Exception) -> Response:
    problem = {
        "code": "store_away",
        "field": None,
        "message": f"ClickHouse does not answer: {error}",
        "remedy": "look at `tidemark status`",
    }
    return JSONResponse({"error": problem}, 503, headers={"Retry-After": "2"})
