"""An HTTP application whose every route is denied unless it names its permission."""

from collections.abc import Mapping
from typing import Any

from fastapi import Depends, FastAPI, Request

from services.shared.access import PUBLIC, Guard, permission
from services.shared.problem import PROBLEM, answer_with_problems

ANSWERS = {
    "400": {"description": "Something cannot be used; field, message and remedy say what and why."},
    "401": {"description": "No credential, or one that is not known."},
    "403": {"description": "The key lacks the scope."},
}
ANSWERS_TO_A_BODY = {"413": {"description": "The body is too large."}}
LICENCE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def guarded(title: str, description: str, guard: Guard) -> FastAPI:
    """An application that answers errors in one shape and shows its own OpenAPI document to everybody.

    There are no interactive pages: FastAPI's load their scripts from elsewhere.
    """
    app = FastAPI(
        title=title,
        description=description,
        license_info=LICENCE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard)],
    )
    answer_with_problems(app)

    @app.get("/openapi.json", include_in_schema=False)
    @permission(PUBLIC)
    async def document(request: Request) -> dict[str, Any]:
        return _as_answered(request.app.openapi())

    return app


def _as_answered(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the answers that are given: FastAPI knows neither of the guard nor of the shape of errors."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"] = _responses(operation)
    return document


def _responses(operation: Mapping[str, Any]) -> dict[str, Any]:
    given = ANSWERS | (ANSWERS_TO_A_BODY if "requestBody" in operation else {}) | operation["responses"]
    shown = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        code: {"content": shown, **said} if code >= "400" else said
        for code, said in sorted(given.items())
        if code != "422"
    }
