"""The registry's state: every change and its message in one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select, text, update

from schemas.messages import Command, Deployment, Outcome, Target
from schemas.topics import DEPLOYMENTS as DEPLOYMENT_TOPIC
from schemas.topics import OUTCOMES
from services.registry import metrics, registry
from services.registry.registry import Lease, Order, Refused, Standing, Version
from services.registry.tables import BASELINES, DECISIONS, DEPLOYMENTS, FREEZES, LEASES, VERSIONS
from services.shared.outbox import Outbox


class Store:
    """Versions, deployments, leases, baselines and freezes.

    Every method is one transaction; changes of one target happen one after another.
    """

    def __init__(self, engine: Engine, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._outbox = outbox
        self._clock = clock

    def now(self) -> datetime:
        """The time that changes are recorded under."""
        return self._clock()

    def register(self, version: Version) -> tuple[Version, bool]:
        """The version, and whether it is new; `Refused` where its label names other content."""
        with self._alone(version.tenant) as connection:
            known = _versions(connection, version.tenant, version.app).get(version.label)
            if known is not None:
                return registry.same_content(known, version.hash), False
            connection.execute(insert(VERSIONS).values(_version_row(version)))
            return version, True

    def versions(self, tenant: str, app: str | None) -> list[Version]:
        """The tenant's versions, oldest first; of one application where `app` is given."""
        with self._engine.connect() as connection:
            return list(_versions(connection, tenant, app).values()) if app else _all_versions(connection, tenant)

    def deploy(self, order: Order) -> Deployment:
        """Change what serves a target, and tell everybody; `Refused` as in `registry.deploy`."""
        with self._changing(order.target) as connection:
            standing = _standing(connection, order.target)
            versions = _versions(connection, order.target.tenant, order.target.app)
            deployment = registry.deploy(order, versions, standing, self._clock())
            self._record(connection, standing, deployment)
            return deployment

    def execute(self, command: Command) -> Outcome:
        """Execute a command once; coming again, it is answered with the same outcome.

        The pointer, the decision's id, the deployment's message and the outcome's are one transaction.
        """
        with self._changing(command.target) as connection:
            known = _select(connection, DECISIONS, decision_id=str(command.decision_id))
            outcome = Outcome.decode(known[0].outcome) if known else self._decide(connection, command)
            self._outbox.add(connection, outcome, OUTCOMES)
            return outcome

    def _decide(self, connection: Connection, command: Command) -> Outcome:
        now = self._clock()
        standing = _standing(connection, command.target)
        versions = _versions(connection, command.target.tenant, command.target.app)
        try:
            deployment = registry.execute(command, versions, standing, now)
        except Refused as refusal:
            outcome = registry.conflicted(command, refusal, standing, now)
        else:
            self._record(connection, standing, deployment)
            outcome = registry.applied(command, deployment, now)
        row = {"decision_id": str(command.decision_id), "outcome": outcome.encode()}
        connection.execute(insert(DECISIONS).values(row))
        return outcome

    def _record(self, connection: Connection, standing: Standing, deployment: Deployment) -> None:
        if deployment.revision == standing.revision:
            return
        row = {**_target(deployment.target), "revision": deployment.revision, "message": deployment.encode()}
        connection.execute(insert(DEPLOYMENTS).values(row))
        self._announce(connection, deployment)
        metrics.DEPLOYMENTS.labels("decision" if deployment.decision_id else "person").inc()

    def _announce(self, connection: Connection, deployment: Deployment) -> None:
        # The message of what runs stays unsettled, so every new broker run gets it again, however old it is.
        self._outbox.settle(connection, deployment.target.key)
        self._outbox.add(connection, deployment, DEPLOYMENT_TOPIC, subject=deployment.target.key)

    def deployment(self, target: Target) -> Deployment | None:
        """What serves the target."""
        with self._engine.connect() as connection:
            return _running(connection, target)

    def deployments(self, tenant: str) -> list[Deployment]:
        """What serves each target of the tenant."""
        newest = (
            select(DEPLOYMENTS.c.app, DEPLOYMENTS.c.environment, func.max(DEPLOYMENTS.c.revision).label("revision"))
            .where(DEPLOYMENTS.c.tenant == tenant)
            .group_by(DEPLOYMENTS.c.app, DEPLOYMENTS.c.environment)
            .subquery()
        )
        same = [DEPLOYMENTS.c[name] == newest.c[name] for name in ("app", "environment", "revision")]
        statement = select(DEPLOYMENTS.c.message).join(newest, same[0] & same[1] & same[2])
        ordered = statement.where(DEPLOYMENTS.c.tenant == tenant).order_by(DEPLOYMENTS.c.app, DEPLOYMENTS.c.environment)
        with self._engine.connect() as connection:
            return [Deployment.decode(message) for message in connection.execute(ordered).scalars()]

    def history(self, target: Target, limit: int) -> list[Deployment]:
        """The newest revisions of the target, newest first."""
        statement = select(DEPLOYMENTS.c.message).where(*_same(DEPLOYMENTS, _target(target)))
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(DEPLOYMENTS.c.revision.desc()).limit(limit))
            return [Deployment.decode(message) for message in rows.scalars()]

    def take_lease(self, target: Target, holder: str, duration: timedelta) -> tuple[Lease, Standing]:
        """A lease on the target, and what is true of it then; `Refused` while somebody else's lasts."""
        with self._changing(target) as connection:
            standing = _standing(connection, target)
            now = self._clock()
            lease = registry.lease(standing, holder, now, now + duration)
            _put(
                connection, LEASES, _target(target), token=lease.token, holder=holder, expires_at=_at(lease.expires_at)
            )
            return lease, standing

    def end_lease(self, target: Target, token: int) -> bool:
        """End the lease with `token` early; its token stays used up. False where it is not the newest."""
        with self._changing(target) as connection:
            lease = _standing(connection, target).lease
            if lease is None or lease.token != token:
                return False
            now = _at(self._clock())
            _put(connection, LEASES, _target(target), token=token, holder=lease.holder, expires_at=now)
            return True

    def set_baseline(self, target: Target, version: str, set_by: str) -> None:
        """Compare the target with `version`, and tell everybody; `Refused` where it is not registered."""
        with self._changing(target) as connection:
            if version not in _versions(connection, target.tenant, target.app):
                raise registry.unknown(version, target.app)
            changed = {"version": version, "set_at": _at(self._clock()), "set_by": set_by}
            _put(connection, BASELINES, _target(target), **changed)
            self._pin(connection, target, version)

    def tell_baselines(self) -> None:
        """Tell those that were pinned while deployments did not say so; what says so already stays as it is."""
        with self._engine.connect() as connection:
            pinned = connection.execute(select(BASELINES)).all()
        for row in pinned:
            target = Target(tenant=row.tenant, app=row.app, environment=row.environment)
            with self._changing(target) as connection:
                running = _running(connection, target)
                if running is not None and running.baseline_version != row.version:
                    self._pin(connection, target, row.version)

    def baseline(self, target: Target) -> Row[Any] | None:
        """The version that the target is compared with: version, set_at, set_by."""
        with self._engine.connect() as connection:
            return next(iter(_select(connection, BASELINES, **_target(target))), None)

    def forget_baseline(self, target: Target) -> None:
        """Compare the target with what it ran before, as without a baseline."""
        with self._changing(target) as connection:
            connection.execute(delete(BASELINES).where(*_same(BASELINES, _target(target))))
            self._pin(connection, target, None)

    def _pin(self, connection: Connection, target: Target, version: str | None) -> None:
        """Say of the revision that runs what it is compared with; it stays the same revision."""
        if (running := _running(connection, target)) is not None:
            deployment = msgspec.structs.replace(running, baseline_version=version)
            own = [*_same(DEPLOYMENTS, _target(target)), DEPLOYMENTS.c.revision == running.revision]
            connection.execute(update(DEPLOYMENTS).where(*own).values(message=deployment.encode()))
            self._announce(connection, deployment)

    def freeze(self, scope: Mapping[str, str], reason: str, set_by: str) -> None:
        """Stop automatic actions in a scope: tenant, app and environment, "" for all of them."""
        with self._alone(scope["tenant"]) as connection:
            _put(connection, FREEZES, scope, reason=reason, set_at=_at(self._clock()), set_by=set_by)

    def thaw(self, scope: Mapping[str, str]) -> None:
        """Allow automatic actions in a scope again."""
        with self._engine.begin() as connection:
            connection.execute(delete(FREEZES).where(*_same(FREEZES, scope)))

    def freezes(self, tenant: str) -> Sequence[Row[Any]]:
        """The tenant's freezes: app, environment, reason, set_at, set_by."""
        with self._engine.connect() as connection:
            return _select(connection, FREEZES, tenant=tenant)

    def _changing(self, target: Target) -> AbstractContextManager[Connection]:
        return self._alone(target.key)

    @contextmanager
    def _alone(self, key: str) -> Iterator[Connection]:
        """A transaction that waits for every other one under the same key."""
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})
            yield connection


def _standing(connection: Connection, target: Target) -> Standing:
    leases = [
        Lease(row.token, row.holder, datetime.fromisoformat(row.expires_at))
        for row in _select(connection, LEASES, **_target(target))
    ]
    covering = [
        row.reason
        for row in _select(connection, FREEZES, tenant=target.tenant)
        if row.app in ("", target.app) and row.environment in ("", target.environment)
    ]
    pinned = [row.version for row in _select(connection, BASELINES, **_target(target))]
    return Standing(_running(connection, target), *(next(iter(each), None) for each in (leases, covering, pinned)))


def _running(connection: Connection, target: Target) -> Deployment | None:
    statement = select(DEPLOYMENTS.c.message).where(*_same(DEPLOYMENTS, _target(target)))
    message = connection.execute(statement.order_by(DEPLOYMENTS.c.revision.desc()).limit(1)).scalar()
    return None if message is None else Deployment.decode(message)


def _versions(connection: Connection, tenant: str, app: str) -> dict[str, Version]:
    return {row.label: _version(row) for row in _select(connection, VERSIONS, tenant=tenant, app=app)}


def _all_versions(connection: Connection, tenant: str) -> list[Version]:
    return [_version(row) for row in _select(connection, VERSIONS, tenant=tenant)]


def _version(row: Row[Any]) -> Version:
    known = {**row._mapping, "bundle": msgspec.json.decode(row.bundle)}
    return Version(**{**known, "registered_at": datetime.fromisoformat(row.registered_at)})


def _version_row(version: Version) -> dict[str, str]:
    bundle = msgspec.json.encode(version.bundle, order="deterministic").decode()
    return {**vars(version), "bundle": bundle, "registered_at": _at(version.registered_at)}


def _select(connection: Connection, table: Table, **key: str) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(*_same(table, key))).all()


def _put(connection: Connection, table: Table, key: Mapping[str, str], **values: object) -> None:
    connection.execute(delete(table).where(*_same(table, key)))
    connection.execute(insert(table).values({**key, **values}))


def _same(table: Table, key: Mapping[str, str]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _target(target: Target) -> dict[str, str]:
    return {"tenant": target.tenant, "app": target.app, "environment": target.environment}


def _at(moment: datetime) -> str:
    return moment.isoformat()
