"""ClickHouse's HTTP interface, as an ASGI application for each of the two ports."""

import asyncio
import json
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from services.embedded.clickhouse.compression import BodyError, decoded, encoded
from services.embedded.clickhouse.engine import Answer, Engine, EngineError, Limits
from services.embedded.clickhouse.request import Request, request_of
from services.embedded.clickhouse.statement import Refused

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# ClickHouse's codes and the HTTP status that its server answers them with; all others are 500.
STATUS = {
    **dict.fromkeys((6, 25, 26, 27, 38, 41, 53, 62, 72, 117, 167, 168, 223, 376), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 133, 336), 404),
    **dict.fromkeys((291, 497), 403),
    48: 501,
}
CONTENT_TYPES = {
    "json": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "arrow": "application/vnd.apache.arrow.file",
    "arrowstream": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def application(engine: Engine, limits: Limits, *, read_only: bool) -> Starlette:
    """Serve one port; refuse whatever does not come from this machine's own programs.

    A GET only reads, as with ClickHouse's own server.
    """

    async def answer(http: HttpRequest) -> Response:
        if refusal := _foreign(http):
            return Response(refusal, HTTPStatus.FORBIDDEN)
        if http.url.path == "/ping" or (http.method != "POST" and "query" not in http.query_params):
            return Response("Ok.\n")
        try:
            body = decoded(await http.body(), http.headers.get("content-encoding", ""))
            request = request_of(http.query_params, http.headers, body)
            if read_only and not request.statement.reads:
                raise Refused(164, "This port only reads. (READONLY)")
            reading = read_only or http.method != "POST"
            return await _response(await engine.run(request, limits, read_only=reading), request, http)
        except BodyError as error:
            return _refused(f"Code: 117. DB::Exception: {error}. (INCORRECT_DATA)\n", 117)
        except (EngineError, Refused) as error:
            return _refused(f"{error}\n", error.code)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "HEAD"])])


async def _response(answer: Answer, request: Request, http: HttpRequest) -> Response:
    headers = {
        "X-ClickHouse-Server-Display-Name": "tidemark",
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Format": request.format,
        "X-ClickHouse-Query-Id": http.query_params.get("query_id") or str(uuid4()),
        "X-ClickHouse-Summary": json.dumps(answer.summary, separators=(",", ":")),
    }
    content = answer.body
    if http.query_params.get("enable_http_compression") == "1":
        content, name = await asyncio.to_thread(encoded, content, http.headers.get("accept-encoding", ""))
        if name:
            headers["Content-Encoding"] = name
    media = CONTENT_TYPES.get(request.format.lower(), "application/octet-stream")
    return Response(content, headers=headers, media_type=media)


def _refused(text: str, code: int) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Timezone": "UTC"}
    return Response(text, STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), headers, "text/plain; charset=UTF-8")


def _foreign(http: HttpRequest) -> str:
    """Why a request may not pass: a page in a browser, or a name that a foreign server made point here."""
    if "origin" in http.headers or http.headers.get("sec-fetch-site", "none") != "none":
        return "Requests of web pages are refused; use `tidemark query`, curl or clickhouse-connect.\n"
    host = urlsplit(f"//{http.headers.get('host', '')}").hostname
    if host not in LOOPBACK:
        return f"Host {host!r} is refused: this ClickHouse is for programs on this machine, under 127.0.0.1.\n"
    return ""
