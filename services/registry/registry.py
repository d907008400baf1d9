"""What may be registered, deployed and executed.

>>> content_hash({"model": "m", "provider": "p"}) == content_hash({"provider": "p", "model": "m"})
True
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from schemas.ids import derived_id
from schemas.messages import Command, Deployment, Outcome, Target
from schemas.messages.message import Json
from schemas.messages.outcome import State

MOST_LEVELS = 100  # of a bundle; Pydantic, which shows it again, ends at 255
FIRST_STEP = 100  # the deciding service counts its own outcomes from 0


class Refused(Exception):
    """A change that the present state does not allow: what is wrong, in which field, and the remedy."""

    def __init__(self, code: str, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message, self.remedy = code, field, message, remedy


@dataclass(frozen=True)
class Version:
    """An immutable bundle, identified by its content; `label` names it once per tenant and application."""

    tenant: str
    app: str
    label: str
    hash: str
    bundle: Mapping[str, Json]
    registered_at: datetime
    registered_by: str


@dataclass(frozen=True)
class Lease:
    """The right to change one target until `expires_at`; a later lease has a higher token."""

    token: int
    holder: str
    expires_at: datetime

    def holds(self, now: datetime) -> bool:
        """Whether the lease still keeps others away."""
        return now < self.expires_at


@dataclass(frozen=True)
class Standing:
    """What is true of a target at the moment of a change."""

    deployment: Deployment | None = None
    lease: Lease | None = None
    frozen: str | None = None  # why automatic actions are stopped
    baseline: str | None = None  # the version that is pinned to compare with

    @property
    def revision(self) -> int:
        """The revision that runs; 0 where nothing was deployed yet."""
        return self.deployment.revision if self.deployment else 0

    @property
    def version(self) -> str | None:
        """The version that runs."""
        return self.deployment.version if self.deployment else None


@dataclass(frozen=True)
class Order:
    """A change that somebody asks for."""

    target: Target
    version: str
    deployed_by: str
    reason: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    expected_revision: int | None = None
    fencing_token: int | None = None
    decision_id: UUID | None = None


def content_hash(bundle: Mapping[str, Json]) -> str:
    """The SHA-256 of the bundle as JSON with sorted keys and no white space, in hexadecimal.

    1 and 1.0 are different content. Raises `Refused` for a number that JSON does not have, half of a surrogate pair,
    and what is nested so deep that not everybody could read it back.
    """
    _check(bundle, "bundle", MOST_LEVELS)
    try:
        return hashlib.sha256(msgspec.json.encode(bundle, order="deterministic")).hexdigest()
    except UnicodeEncodeError as error:
        said, remedy = "the bundle holds half of a surrogate pair", "send text that is Unicode"
        raise Refused("invalid_bundle", "bundle", said, remedy) from error


def _check(value: Json, path: str, levels: int) -> None:
    if levels == 0:
        said = f"the bundle is nested deeper than {MOST_LEVELS} levels"
        raise Refused("invalid_bundle", "bundle", said, "send what is deeper as text")
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("invalid_bundle", path, f"{path} is not a finite number", "leave it out or send a finite number")
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, entry in entries:
        _check(entry, f"{path}.{name}", levels - 1)


def same_content(known: Version, digest: str) -> Version:
    """The registered version, or `Refused` where its label names other content."""
    if known.hash != digest:
        raise Refused(
            "label_taken",
            "version",
            f"version {known.label} of {known.app} is registered with other content (sha256 {known.hash[:12]}…)",
            "choose another label: a version never changes",
        )
    return known


def deploy(order: Order, versions: Mapping[str, Version], standing: Standing, now: datetime) -> Deployment:
    """The next revision of the target.

    Raises `Refused` where the version or a weighted one is unknown, somebody else holds the lease or a newer one was
    given out, or another revision than the expected one runs. An order for what runs already gives the deployment
    that runs.
    """
    for label in (order.version, *order.weights):
        if label not in versions:
            raise unknown(label, order.target.app)
    _check_weights(order.weights)
    _check_lease(order, standing, now)
    if order.expected_revision not in (None, standing.revision):
        raise _conflict(
            "expected_revision",
            f"revision {standing.revision} runs, not {order.expected_revision}: somebody was faster",
        )
    running = standing.deployment
    if running and (running.version, dict(running.weights)) == (order.version, dict(order.weights)):
        return running
    return _revision(order, versions[order.version], standing, now)


def _revision(order: Order, version: Version, standing: Standing, now: datetime) -> Deployment:
    revision = standing.revision + 1
    return Deployment(
        deployment_id=derived_id("deployment", order.target.key, revision),
        target=order.target,
        revision=revision,
        version=version.label,
        version_hash=version.hash,
        bundle=version.bundle,
        weights=order.weights,
        previous_version=_predecessor(standing, version.label),
        baseline_version=standing.baseline,
        deployed_at=now,
        deployed_by=order.deployed_by,
        reason=order.reason,
        decision_id=order.decision_id,
    )


def _predecessor(standing: Standing, label: str) -> str | None:
    """The version before `label`; one that only gets other weights keeps the one that it has.

    One that a rollback restored has none then: what served before it was bad.
    """
    if standing.deployment and standing.version == label:
        return None if standing.deployment.decision_id else standing.deployment.previous_version
    return standing.version


def _check_weights(weights: Mapping[str, float]) -> None:
    if weights and (min(weights.values()) <= 0 or not math.isclose(sum(weights.values()), 1, abs_tol=1e-9)):
        raise Refused("invalid_weights", "weights", "shares must be above 0 and sum to 1", "send shares that sum to 1")


def _check_lease(order: Order, standing: Standing, now: datetime) -> None:
    lease = standing.lease
    if order.fencing_token is not None and (lease is None or lease.token != order.fencing_token):
        raise _conflict("fencing_token", f"fencing token {order.fencing_token} is not the newest one of this target")
    if order.fencing_token is None and lease is not None and lease.holds(now):
        raise Refused(
            "leased",
            "fencing_token",
            f"{lease.holder} is changing this target until {lease.expires_at.isoformat()}",
            "wait until the lease ends, or send its fencing token",
        )


def unknown(label: str, app: str) -> Refused:
    """The refusal of a version that nobody registered."""
    return Refused(
        "unknown_version",
        "version",
        f"version {label} of {app} is not registered",
        "register it with POST /v1/versions first",
    )


def _conflict(field: str, message: str) -> Refused:
    return Refused("conflict", field, message, "read the deployment again and decide anew")


def lease(standing: Standing, holder: str, now: datetime, expires_at: datetime) -> Lease:
    """The lease for `holder`: a renewal keeps its token, a new holder gets a higher one.

    Raises `Refused` while somebody else's lease lasts.
    """
    known = standing.lease
    if known is None:
        return Lease(1, holder, expires_at)
    if known.holder == holder:
        return Lease(known.token, holder, expires_at)
    if known.holds(now):
        raise Refused(
            "leased", "holder", f"{known.holder} holds the lease until {known.expires_at.isoformat()}", "try again then"
        )
    return Lease(known.token + 1, holder, expires_at)


def execute(command: Command, versions: Mapping[str, Version], standing: Standing, now: datetime) -> Deployment:
    """The revision that a command makes; `Refused` where the target is not as the command expects it."""
    if standing.frozen is not None:
        raise Refused("frozen", "target", f"automatic actions are stopped: {standing.frozen}", "lift the freeze")
    if standing.version != command.from_version:
        raise _conflict("from_version", f"{standing.version} runs, not {command.from_version}")
    return deploy(_ordered(command), versions, standing, now)


def _ordered(command: Command) -> Order:
    return Order(
        target=command.target,
        version=command.to_version,
        deployed_by=command.policy,
        reason=command.reason,
        expected_revision=command.expected_revision,
        fencing_token=command.fencing_token,
        decision_id=command.decision_id,
    )


def applied(command: Command, deployment: Deployment, now: datetime) -> Outcome:
    """What is said of a command that took effect."""
    evidence = {"result": "applied", "revision": deployment.revision}
    return _outcome(
        command, now, evidence=evidence, reason=f"{deployment.version} runs as revision {deployment.revision}"
    )


def conflicted(command: Command, refusal: Refused, standing: Standing, now: datetime) -> Outcome:
    """What is said of a command that took no effect."""
    evidence = {
        "result": "conflict",
        "code": refusal.code,
        "field": refusal.field,
        "revision": standing.revision,
        "version": standing.version,
    }
    return _outcome(command, now, evidence=evidence, reason=refusal.message)


def _outcome(command: Command, now: datetime, *, evidence: Mapping[str, Json], reason: str) -> Outcome:
    state: State = "executing" if evidence["result"] == "applied" else "failed"
    return Outcome(
        outcome_id=derived_id("outcome", command.decision_id, "registry", state, FIRST_STEP),
        decision_id=command.decision_id,
        kind=command.kind,
        target=command.target,
        policy=command.policy,
        state=state,
        step=FIRST_STEP,
        actor="registry",
        from_version=command.from_version,
        to_version=command.to_version,
        alert_id=command.alert_id,
        reason=reason,
        evidence=evidence,
        changed_at=now,
    )
