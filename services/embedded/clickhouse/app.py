"""ClickHouse's HTTP interface, as an ASGI application for each of the two ports."""

import json
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from services.embedded.clickhouse.compression import BodyError, decoded, encoded
from services.embedded.clickhouse.engine import Connection, EngineError
from services.embedded.clickhouse.statement import request_of

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# ClickHouse's codes and the HTTP status that its server answers them with; all others are 500.
STATUS = {
    **dict.fromkeys((6, 26, 27, 33, 38, 41, 43, 53, 62, 69, 72, 117, 130, 190, 6, 349, 386), 400),
    **dict.fromkeys((46, 47, 60, 73, 81, 107, 115, 36), 404),
    159: 408,
    48: 501,
    164: 403,
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


def application(connection: Connection) -> Starlette:
    """Serves queries and inserts on one connection; refuses whatever does not come from this machine's own programs."""

    async def answer(http: HttpRequest) -> Response:
        if refusal := _foreign(http):
            return Response(refusal, HTTPStatus.FORBIDDEN)
        if http.url.path == "/ping" or (http.method == "GET" and "query" not in http.query_params):
            return Response("Ok.\n")
        try:
            body = decoded(await http.body(), http.headers.get("content-encoding", ""))
            return await _run(connection, http, body)
        except BodyError as error:
            return _refused(f"Code: 117. DB::Exception: {error}. (INCORRECT_DATA)\n", 117)
        except EngineError as error:
            return _refused(f"{error}\n", error.code)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "HEAD"])])


async def _run(connection: Connection, http: HttpRequest, body: bytes) -> Response:
    request = request_of(http.query_params, http.headers, body)
    answer = await connection.run(request)
    headers = {
        "X-ClickHouse-Server-Display-Name": "tidemark",
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Format": request.format,
        "X-ClickHouse-Query-Id": http.query_params.get("query_id", ""),
        "X-ClickHouse-Summary": json.dumps(answer.summary, separators=(",", ":")),
    }
    content = answer.body
    if http.query_params.get("enable_http_compression") == "1":
        content, name = encoded(content, http.headers.get("accept-encoding", ""))
        if name:
            headers["Content-Encoding"] = name
    media = CONTENT_TYPES.get(request.format.lower(), "application/octet-stream")
    return Response(content, headers=headers, media_type=media)


def _refused(text: str, code: int) -> Response:
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Timezone": "UTC"}
    return Response(text, STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), headers, "text/plain; charset=UTF-8")


def _foreign(http: HttpRequest) -> str:
    """Why a request may not pass: a page in a browser, or a name that a foreign server made point here."""
    if "origin" in http.headers:
        return "Requests of web pages are refused; use `tidemark query`, curl or clickhouse-connect.\n"
    host = urlsplit(f"//{http.headers.get('host', '')}").hostname
    if host not in LOOPBACK:
        return f"Host {host!r} is refused: this ClickHouse is for programs on this machine, under 127.0.0.1.\n"
    return ""
