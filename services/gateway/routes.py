"""The gateway over HTTP; each route names the scopes of which one is enough."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from schemas.messages import Deployment, Target
from services.gateway import body, gateway, metrics
from services.gateway.documentation import CALLS_OPERATION, DEPLOYMENT_OPERATION, FEEDBACK_OPERATION
from services.gateway.gateway import CALL, FEEDBACK, Client, Kind, Limits, TokenBucket, TooMany, Unreadable, Verdict
from services.gateway.intake import Intake
from services.shared.access import permission, principal_of
from services.shared.problem import Problem

Name = Annotated[str, Path(max_length=200, pattern=r"^[^|\x00-\x1f]+$")]


class Deployments(Protocol):
    """The newest deployment of each target."""

    ready: asyncio.Event  # set when all that was there at the start is known

    def get(self, key: str) -> Deployment | None:
        """What serves the target with this key."""


class Throttle:
    """Refuses before work is done: too many messages of one key, too many bytes at once."""

    def __init__(self, *, messages_per_second: float, burst: float, in_flight_bytes: int) -> None:
        self._rate, self._burst, self._most_bytes = messages_per_second, burst, in_flight_bytes
        self._buckets: dict[str, TokenBucket] = {}
        self._bytes = 0

    @contextmanager
    def holding(self, size_bytes: int) -> Iterator[None]:
        """Hold `size_bytes` while a request is worked on; `Problem` (429) where there is no room for them."""
        if self._bytes + size_bytes > self._most_bytes:
            raise _later("saturated", "the gateway has as much in flight as it may", 1.0)
        self._bytes += size_bytes
        metrics.IN_FLIGHT_BYTES.set(self._bytes)
        try:
            yield
        finally:
            self._bytes -= size_bytes
            metrics.IN_FLIGHT_BYTES.set(self._bytes)

    def pass_rate(self, key_id: str, count: int) -> None:
        """Count messages of a key; `Problem` (429) above its rate."""
        now = time.monotonic()
        if key_id not in self._buckets:
            self._buckets[key_id] = TokenBucket(rate=self._rate, burst=self._burst, now_seconds=now)
        wait_seconds = self._buckets[key_id].take(count, now)
        if wait_seconds > 0:
            raise _later("too_many", f"the key's rate of {self._rate:g} messages a second is used up", wait_seconds)


def intake_routes(intake: Intake, throttle: Throttle, limits: Limits) -> APIRouter:
    """Routes that take calls and feedback."""
    router = APIRouter(tags=["intake"])

    async def post(request: Request, kind: Kind[Any]) -> Response:
        who = principal_of(request)
        with throttle.holding(int(request.headers.get("Content-Length") or limits.largest_body_bytes)):
            plain = await body.read(request, limits.largest_body_bytes)
        with throttle.holding(len(plain)), _answerable(kind):
            raws, client = gateway.split(plain, kind, limits)
            throttle.pass_rate(who.key_id, len(raws))
            _count_dropped(who.tenant, client)
            return _answer(await intake.accept(raws, kind, who.tenant))

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
            raise _away("the deployments are not read yet")
        running = deployments.get(target.key)
        if running is None:
            message = f"nothing is deployed for {app} in {environment}"
            raise Problem(404, "not_found", message, remedy="deploy a version through the registry")
        etag = {"ETag": f'"{running.revision}"'}
        if request.headers.get("If-None-Match") == etag["ETag"]:
            return Response(status_code=304, headers=etag)
        return Response(running.encode(), headers=etag, media_type="application/json")

    return router


@contextmanager
def _answerable(kind: Kind[Any]) -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        status = 413 if isinstance(error, TooMany) else 400
        field = error.field or kind.plural
        raise Problem(status, "unreadable", error.message, field=field, remedy=error.remedy) from error
    except OSError as error:
        raise _away(f"accepted messages cannot be written to disk: {error.strerror}") from error


def _answer(verdicts: list[Verdict]) -> Response:
    statuses = {verdict.status for verdict in verdicts}
    if "retry" in statuses and "stored" not in statuses:
        raise _away("Kafka takes nothing")
    return Response(msgspec.json.encode({"results": verdicts}), media_type="application/json")


def _count_dropped(tenant: str, client: Client) -> None:
    dropped = client.dropped if isinstance(client.dropped, int) else sum(client.dropped.values())
    if dropped > 0:
        metrics.CLIENT_DROPPED.labels(tenant).inc(dropped)


def _later(code: str, message: str, wait_seconds: float) -> Problem:
    metrics.REFUSED.labels(code).inc()
    headers = {"Retry-After": str(max(1, round(wait_seconds)))}
    return Problem(429, code, message, remedy="send again after the seconds in Retry-After", headers=headers)


def _away(message: str) -> Problem:
    metrics.REFUSED.labels("unavailable").inc()
    remedy = "send again after the seconds in Retry-After; repeats are harmless"
    return Problem(503, "unavailable", message, remedy=remedy, headers={"Retry-After": "1"})
