"""The registry over HTTP; each route names the scope that it needs."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from schemas.messages import Deployment, Target
from services.registry import model, registry
from services.registry.keys import KeyStore
from services.registry.registry import Order, Version
from services.registry.store import Store
from services.shared.access import SERVICE, permission, principal_of
from services.shared.names import NAME
from services.shared.problem import Problem

Answers = dict[int | str, dict[str, Any]]  # as FastAPI has them
App = Annotated[str, Path(max_length=200, pattern=NAME, examples=["shop-assistant"])]
Environment = Annotated[str, Path(max_length=200, pattern=NAME, examples=["production"])]
NEW: Answers = {201: {"description": "It is new.", "model": model.RegisteredVersion}}
UNCHANGED: Answers = {304: {"description": "It is the one in If-None-Match."}}
UNKNOWN: Answers = {404: {"description": "It is not known."}}
REFUSED: Answers = {409: {"description": "What is there does not allow it; field, message and remedy say why."}}
TARGET = "/v1/deployments/{app}/{environment}"


def version_routes(store: Store) -> APIRouter:
    """Routes that register and list versions."""
    router = APIRouter(tags=["versions"])

    @router.post("/v1/versions", response_model=model.RegisteredVersion, responses={**NEW, **REFUSED})
    @permission("deploy")
    def register(request: Request, response: Response, body: model.NewVersion) -> model.RegisteredVersion:
        """Register a version (201); the same label with the same content again is 200, with other content 409."""
        who = principal_of(request)
        digest = registry.content_hash(body.bundle)
        version = Version(who.tenant, body.app, body.version, digest, body.bundle, store.now(), who.name)
        known, new = store.register(version)
        response.status_code = 201 if new else 200
        return model.RegisteredVersion.of(known)

    @router.get("/v1/versions")
    @permission("read")
    def versions(request: Request, app: Annotated[str | None, Query(max_length=200)] = None) -> model.VersionList:
        """The tenant's versions, oldest first; of one application with `app`."""
        known = store.versions(principal_of(request).tenant, app)
        return model.VersionList(versions=[model.RegisteredVersion.of(version) for version in known])

    @router.get("/v1/versions/{app}/{version}", responses=UNKNOWN)
    @permission("read")
    def version(request: Request, app: App, version: Annotated[str, Path()]) -> model.RegisteredVersion:
        """One version."""
        for known in store.versions(principal_of(request).tenant, app):
            if known.label == version:
                return model.RegisteredVersion.of(known)
        raise Problem(404, "not_found", f"version {version} of {app} is not registered", field="version")

    return router


def deployment_routes(store: Store) -> APIRouter:
    """Routes that read and change what serves a target."""
    router = APIRouter(tags=["deployments"])

    @router.get("/v1/deployments")
    @permission("read")
    def deployments(request: Request) -> Response:
        """What serves each target of the tenant: `{"deployments": [deployment.v1, …]}`."""
        return _listed(store.deployments(principal_of(request).tenant))

    @router.get(TARGET, responses={**UNCHANGED, **UNKNOWN})
    @permission("read")
    def deployment(request: Request, app: App, environment: Environment) -> Response:
        """What serves the target, as the message deployment.v1; ETag is the revision, 304 where it is unchanged."""
        running = store.deployment(_target(request, app, environment))
        if running is None:
            raise Problem(404, "not_found", f"nothing is deployed for {app} in {environment}")
        if request.headers.get("If-None-Match") == _etag(running):
            return Response(status_code=304, headers={"ETag": _etag(running)})
        return _shown(running)

    @router.get(f"{TARGET}/history")
    @permission("read")
    def history(
        request: Request, app: App, environment: Environment, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        """The revisions of the target, newest first."""
        return _listed(store.history(_target(request, app, environment), limit))

    @router.put(TARGET, responses={**UNKNOWN, **REFUSED})
    @permission("deploy")
    def deploy(request: Request, app: App, environment: Environment, body: model.NewDeployment) -> Response:
        """Change what serves the target; 409 where another revision runs, the lease is somebody else's or unknown."""
        target = _target(request, app, environment)
        order = Order(target=target, deployed_by=principal_of(request).name, **dict(body))
        return _shown(store.deploy(order))

    return router


def lease_routes(store: Store) -> APIRouter:
    """Routes for whoever has to change a target alone."""
    router = APIRouter(tags=["leases"])

    @router.post(f"{TARGET}/lease", responses=REFUSED)
    @permission("deploy")
    def take(request: Request, app: App, environment: Environment, body: model.LeaseRequest) -> model.LeaseAnswer:
        """Take or renew the lease on a target; 409 while somebody else holds it."""
        target = _target(request, app, environment)
        lease, standing = store.take_lease(target, body.holder, timedelta(seconds=body.seconds))
        return model.LeaseAnswer(
            fencing_token=lease.token,
            holder=lease.holder,
            expires_at=lease.expires_at,
            revision=standing.revision,
            version=standing.version,
        )

    @router.delete(f"{TARGET}/lease/{{fencing_token}}", status_code=204, responses=UNKNOWN)
    @permission("deploy")
    def end(request: Request, app: App, environment: Environment, fencing_token: int) -> None:
        """End the lease early; 404 where the token is not the newest one."""
        if not store.end_lease(_target(request, app, environment), fencing_token):
            raise Problem(404, "not_found", f"no lease has the token {fencing_token}", field="fencing_token")

    return router


def baseline_routes(store: Store) -> APIRouter:
    """Routes for the version that a target is compared with."""
    router = APIRouter(tags=["baselines"])

    @router.get("/v1/baselines/{app}/{environment}", responses=UNKNOWN)
    @permission("read")
    def baseline(request: Request, app: App, environment: Environment) -> model.BaselineAnswer:
        """The pinned baseline; 404 where none is pinned: then the version that ran before is the baseline."""
        known = store.baseline(_target(request, app, environment))
        if known is None:
            raise Problem(404, "not_found", f"no baseline is pinned for {app} in {environment}")
        return model.BaselineAnswer(version=known.version, set_at=known.set_at, set_by=known.set_by)

    @router.put("/v1/baselines/{app}/{environment}", status_code=204, responses=UNKNOWN)
    @permission("deploy")
    def pin(request: Request, app: App, environment: Environment, body: model.Baseline) -> None:
        """Pin the baseline of a target."""
        target = _target(request, app, environment)
        store.set_baseline(target, body.version, principal_of(request).name)

    @router.delete("/v1/baselines/{app}/{environment}", status_code=204)
    @permission("deploy")
    def unpin(request: Request, app: App, environment: Environment) -> None:
        """Compare with the version that ran before again."""
        store.forget_baseline(_target(request, app, environment))

    return router


def freeze_routes(store: Store) -> APIRouter:
    """The kill switch of automatic actions."""
    router = APIRouter(tags=["freeze"])

    @router.get("/v1/freeze")
    @permission("read")
    def freezes(request: Request) -> model.FreezeList:
        """Where automatic actions are stopped, and why."""
        rows = store.freezes(principal_of(request).tenant)
        names = ("app", "environment", "reason", "set_at", "set_by")
        return model.FreezeList(freezes=[model.FreezeAnswer(**{n: getattr(row, n) for n in names}) for row in rows])

    @router.put("/v1/freeze")
    @permission("deploy")
    def freeze(request: Request, body: model.Freeze) -> model.FreezeList:
        """Stop automatic actions, or allow them again; what people deploy is not affected."""
        who = principal_of(request)
        scope = {"tenant": who.tenant, "app": body.app, "environment": body.environment}
        if body.frozen:
            store.freeze(scope, body.reason or f"stopped by {who.name}", who.name)
        else:
            store.thaw(scope)
        return freezes(request)

    return router


def key_routes(keys: KeyStore) -> APIRouter:
    """Routes for API keys."""
    router = APIRouter(tags=["keys"])

    @router.post("/v1/keys", status_code=201)
    @permission("admin")
    def create(request: Request, body: model.NewKey) -> model.CreatedKey:
        """Make a key; this answer is the only place that ever shows it."""
        kept, key = keys.create(principal_of(request).tenant, body.name, sorted(set(body.scopes)))
        return model.CreatedKey(**dict(model.KeyAnswer.of(kept)), key=key)

    @router.get("/v1/keys")
    @permission("admin")
    def listed(request: Request) -> model.KeyList:
        """The tenant's valid keys, without the keys themselves."""
        return model.KeyList(keys=[model.KeyAnswer.of(kept) for kept in keys.valid(principal_of(request).tenant)])

    @router.delete("/v1/keys/{key_id}", status_code=204, responses=UNKNOWN)
    @permission("admin")
    def revoke(request: Request, key_id: str) -> None:
        """End a key; gateways refuse it within seconds."""
        if not keys.revoke(principal_of(request).tenant, key_id):
            raise Problem(404, "not_found", f"no valid key has the id {key_id}", field="key_id")

    @router.get("/v1/keys/hashes", include_in_schema=False)
    @permission(SERVICE)
    def hashes() -> Response:
        """The hashes of every tenant's valid keys, for the services that check keys themselves."""
        return Response(msgspec.json.encode({"keys": keys.valid()}), media_type="application/json")

    return router


def _target(request: Request, app: str, environment: str) -> Target:
    return Target(tenant=principal_of(request).tenant, app=app, environment=environment)


def _shown(deployment: Deployment) -> Response:
    return Response(deployment.encode(), headers={"ETag": _etag(deployment)}, media_type="application/json")


def _listed(deployments: list[Deployment]) -> Response:
    return Response(msgspec.json.encode({"deployments": deployments}), media_type="application/json")


def _etag(deployment: Deployment) -> str:
    return f'"{deployment.revision}"'
