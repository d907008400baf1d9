"""Whether the process lives, and whether it is ready."""

from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


@dataclass
class Health:
    """What each part of the process says of itself; ready means that none has a reason not to be."""

    reasons: dict[str, str] = field(default_factory=dict)

    def ready(self, part: str) -> None:
        """Say that `part` does its work."""
        self.reasons[part] = ""

    def unready(self, part: str, reason: str) -> None:
        """Say why `part` does not do its work: a sentence with the remedy where there is one."""
        self.reasons[part] = reason

    @property
    def is_ready(self) -> bool:
        """Whether every part does its work."""
        return not any(self.reasons.values())

    def routes(self) -> list[Route]:
        """`/health/live`, `/health/ready` (200 or 503, with reasons) and `/metrics`."""
        return [
            Route("/health/live", _live),
            Route("/health/ready", self._ready),
            Route("/metrics", _metrics),
        ]

    async def _ready(self, _request: Request) -> Response:
        parts = {part: reason or "ready" for part, reason in self.reasons.items()}
        return JSONResponse({"ready": self.is_ready, "parts": parts}, 200 if self.is_ready else 503)


async def _live(_request: Request) -> Response:
    return PlainTextResponse("live")


async def _metrics(_request: Request) -> Response:
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
