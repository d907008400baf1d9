"""Errors that HTTP callers can act on: what, where, and the remedy."""

from collections.abc import Mapping

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PROBLEM = {  # the schema of every answer of 400 or above
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "field": {"type": ["string", "null"]},
                "message": {"type": "string"},
                "remedy": {"type": ["string", "null"]},
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}
NAMES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Problem(Exception):
    """An answer of 400 or above: `{"error": {"code", "field", "message", "remedy"}}`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"error": {"code": code, "field": field, "message": message, "remedy": remedy}}

    def response(self) -> Response:
        """The answer."""
        return Response(msgspec.json.encode(self.body), self.status, self.headers, "application/json")


def answer_with_problems(app: FastAPI) -> None:
    """Give every error of `app` the one shape."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        remedy = "send one JSON object"
        return Problem(400, "invalid", f"the body is no JSON: {first['msg']}", field="body", remedy=remedy).response()
    field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    remedy = f"send {field} as /openapi.json describes it"
    return Problem(400, "invalid", f"{field}: {first['msg']}", field=field, remedy=remedy).response()


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = NAMES.get(error.status_code, "error")
    return Problem(error.status_code, code, str(error.detail), headers=error.headers).response()
