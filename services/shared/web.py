"""An HTTP application whose every route is denied unless it names its permission."""

from fastapi import Depends, FastAPI, Request

from services.shared.access import PUBLIC, Guard, permission
from services.shared.problem import answer_with_problems

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
    async def document(request: Request) -> dict[str, object]:
        return dict(request.app.openapi())

    return app
