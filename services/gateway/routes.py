"""The gateway over HTTP; each route names the scopes of which one is enough."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from schemas.messages import Deployment, Target
from services.gateway import body, gateway, metrics
from services.gateway.admission import Admission, unavailable
from services.gateway.documentation import CALLS_OPERATION, DEPLOYMENT_OPERATION, FEEDBACK_OPERATION
from services.gateway.gateway import CALL, FEEDBACK, Client, Kind, Limits, TooMany, Unreadable, Verdict
from services.gateway.intake import Intake
from services.shared.access import permission, principal_of
from services.shared.names import NAME
from services.shared.problem import Problem

Name = Annotated[str, Path(max_length=200, pattern=NAME)]


class Deployments(Protocol):
    """The newest deployment of each target."""

    ready: asyncio.Event  # set when all that was there at the start is known

    def get(self, key: str) -> Deployment | None:
        """What serves the target with this key."""


def intake_routes(intake: Intake, admission: Admission, limits: Limits) -> APIRouter:
    """Routes that take calls and feedback."""
    router = APIRouter(tags=["intake"])

    async def post(request: Request, kind: Kind[Any]) -> Response:
        who = principal_of(request)
        size = int(request.headers.get("Content-Length") or limits.largest_body_bytes)
        with admission.entered(who.key_id, size):
            with admission.holding(who.key_id, size):
                plain = await _read(request, limits)
            with admission.holding(who.key_id, len(plain)), _answerable(kind):
                raws, client = gateway.split(plain, kind, limits)
                admission.pass_rate(who.key_id, len(raws))
                answer = _answer(await intake.accept(raws, kind, who.tenant))
                _count_dropped(who.tenant, client)  # last: a sender that is told to come back says the same again
                return answer

    @router.post("/v1/calls", openapi_extra=CALLS_OPERATION)
    @permission("emit")
    async def calls(request: Request) -> Response:
        """Take one call or many; the answer has one verdict for each, in order.

        `stored` means that Kafka has acknowledged the call. `rejected` names field, message and remedy: sending it
        again is useless. `retry` means that it may be sent again, under the same call_id: repeats are harmless.
        """
        return await post(request, CALL)

    @router.post("/v1/feedback", openapi_extra=FEEDBACK_OPERATION)
    @permission("emit")
    async def feedback(request: Request) -> Response:
        """Take one opinion on a call, or many; late references are feedback of the kind `reference`."""
        return await post(request, FEEDBACK)

    return router


def deployment_routes(deployments: Deployments) -> APIRouter:
    """The route that clients poll."""
    router = APIRouter(tags=["deployments"])

    @router.get("/v1/deployments/{app}/{environment}", openapi_extra=DEPLOYMENT_OPERATION)
    @permission("emit", "read")
    async def deployment(request: Request, app: Name, environment: Name) -> Response:
        """What serves the target; ETag is the revision, and 304 the answer where it is the one in If-None-Match."""
        target = Target(tenant=principal_of(request).tenant, app=app, environment=environment)
        if not deployments.ready.is_set():
            raise unavailable("the deployments are not read yet")
        running = deployments.get(target.key)
        if running is None:
            message = f"nothing is deployed for {app} in {environment}"
            raise Problem(404, "not_found", message, remedy="deploy a version through the registry")
        etag = {"ETag": f'"{running.revision}"'}
        if request.headers.get("If-None-Match") == etag["ETag"]:
            return Response(status_code=304, headers=etag)
        return Response(running.encode(), headers=etag, media_type="application/json")

    return router


async def _read(request: Request, limits: Limits) -> bytes:
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await body.read(request, limits.largest_body_bytes)
    except TimeoutError:
        said = f"the body did not come within {limits.body_seconds:g} s"
        raise Problem(408, "too_slow", said, remedy="send smaller batches") from None


@contextmanager
def _answerable(kind: Kind[Any]) -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        status = 413 if isinstance(error, TooMany) else 400
        field = error.field or kind.plural
        raise Problem(status, "unreadable", error.message, field=field, remedy=error.remedy) from error
    except OSError as error:
        raise unavailable(f"accepted messages cannot be written to disk: {error.strerror}") from error


def _answer(verdicts: list[Verdict]) -> Response:
    again = [verdict.message or "" for verdict in verdicts if verdict.status == "retry"]
    if again and all(verdict.status != "stored" for verdict in verdicts):
        raise unavailable(again[0])
    return Response(msgspec.json.encode({"results": verdicts}), media_type="application/json")


def _count_dropped(tenant: str, client: Client) -> None:
    dropped = client.dropped if isinstance(client.dropped, int) else sum(client.dropped.values())
    if dropped > 0:
        metrics.CLIENT_DROPPED.labels(tenant).inc(dropped)
