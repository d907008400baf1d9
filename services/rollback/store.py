"""The rollback service's state: a change, its outcome and its command are one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select, update

from schemas.messages import Alert, Command, Outcome, Target
from schemas.messages.alert import REPLACED
from schemas.topics import COMMANDS
from schemas.topics import OUTCOMES as OUTCOME_TOPIC
from services.rollback.rollback.decision import Decision
from services.rollback.tables import ALERTS, DECISIONS, OUTCOMES
from services.shared.outbox import Outbox

REGISTRY = "registry"
_DECISION = msgspec.json.Decoder(Decision)


class Store:
    """Alerts, decisions and outcomes; every method is one transaction."""

    def __init__(self, engine: Engine, outbox: Outbox) -> None:
        self._engine, self._outbox = engine, outbox

    def keep_alert(self, alert: Alert, now: datetime) -> None:
        """Store an alert's newest change; a firing one is due to be considered, an older one changes nothing."""
        key, at = str(alert.alert_id), alert.changed_at.timestamp()
        state = REPLACED if REPLACED in alert.labels else alert.state
        values: dict[str, object] = {"state": state, "changed_at_seconds": at, "message": alert.encode()}
        values["due_at_seconds"] = now.timestamp() if alert.state == "firing" else None
        with self._engine.begin() as connection:
            known = _one(connection, ALERTS, "alert_id", key)
            if known is None:
                where = {"alert_id": key, "segment": alert.segment.key, "target": alert.segment.target.key}
                connection.execute(insert(ALERTS).values(**where, **values))
            elif known.changed_at_seconds < at:
                connection.execute(update(ALERTS).where(ALERTS.c.alert_id == key).values(**values))

    def keep_outcome(self, outcome: Outcome, now: datetime) -> None:
        """Store what the registry says of a command, once, and make its decision due."""
        row = {"outcome_id": str(outcome.outcome_id), "decision_id": str(outcome.decision_id)}
        with self._engine.begin() as connection:
            if _one(connection, OUTCOMES, "outcome_id", row["outcome_id"]) is None:
                content = {"actor": outcome.actor, "state": outcome.state, "message": outcome.encode()}
                connection.execute(insert(OUTCOMES).values(**row, **content))
            same = (DECISIONS.c.decision_id == row["decision_id"]) & (DECISIONS.c.state == "executing")
            connection.execute(update(DECISIONS).where(same).values(due_at_seconds=now.timestamp()))

    def due_alerts(self, now: datetime) -> list[Alert]:
        """Alerts that are to be considered, oldest first."""
        statement = select(ALERTS.c.message).where(ALERTS.c.due_at_seconds <= now.timestamp())
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(ALERTS.c.changed_at_seconds).limit(100)).scalars()
            return [Alert.decode(row) for row in rows]

    def considered(self, alert: Alert, decision: UUID | None = None) -> None:
        """Say that nothing more is to be done about this change of an alert."""
        with self._engine.begin() as connection:
            _considered(connection, alert, decision)

    def decided(self, alert: Alert) -> bool:
        """Whether this occurrence belongs to a decision: one occurrence leads to one decision at most."""
        with self._engine.connect() as connection:
            row = _one(connection, ALERTS, "alert_id", str(alert.alert_id))
            return row is not None and row.decision_id is not None

    def unrecovered(self, target: Target) -> list[Alert]:
        """Every alert about the target that fires, or fired until its version was replaced."""
        sick = ALERTS.c.state.in_(("firing", REPLACED))
        statement = select(ALERTS.c.message).where(ALERTS.c.target == target.key, sick)
        with self._engine.connect() as connection:
            return [Alert.decode(message) for message in connection.execute(statement).scalars()]

    def open_decision(self, target: Target) -> Decision | None:
        """The decision that the target waits for."""
        statement = select(DECISIONS.c.content).where(
            DECISIONS.c.target == target.key, DECISIONS.c.due_at_seconds.is_not(None)
        )
        with self._engine.connect() as connection:
            content = connection.execute(statement).scalar()
            return _DECISION.decode(content) if content else None

    def due_decisions(self, now: datetime) -> list[Decision]:
        """Open decisions whose next step is due, oldest first."""
        statement = select(DECISIONS.c.content).where(DECISIONS.c.due_at_seconds <= now.timestamp())
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(DECISIONS.c.opened_at_seconds)).scalars()
            return [_DECISION.decode(row) for row in rows]

    def decision(self, decision_id: UUID) -> Decision | None:
        """One decision."""
        with self._engine.connect() as connection:
            row = _one(connection, DECISIONS, "decision_id", str(decision_id))
            return _DECISION.decode(row.content) if row else None

    def open(self, decision: Decision, outcome: Outcome, alert: Alert) -> None:
        """Keep a new decision with its first outcome; one that is known already changes nothing."""
        with self._engine.begin() as connection:
            if _one(connection, DECISIONS, "decision_id", str(decision.decision_id)) is None:
                where = {"target": decision.target.key, "from_version": decision.from_version}
                row: dict[str, object] = {"opened_at_seconds": decision.opened_at.timestamp(), "state": decision.state}
                row |= {"due_at_seconds": decision.opened_at.timestamp(), "content": msgspec.json.encode(decision)}
                connection.execute(insert(DECISIONS).values(decision_id=str(decision.decision_id), **where, **row))
                self._tell(connection, outcome)
            _considered(connection, alert, decision.decision_id)

    def advance(
        self, before: Decision, after: Decision, outcome: Outcome, *, due_at: datetime, order: Command | None = None
    ) -> bool:
        """Keep the next state with its outcome and command; False where somebody moved the decision meanwhile."""
        values: dict[str, object] = {"state": after.state, "content": msgspec.json.encode(after)}
        values["due_at_seconds"] = due_at.timestamp() if after.open else None
        values |= {"ordered_at_seconds": after.changed_at.timestamp()} if order else {}
        with self._engine.begin() as connection:
            row = _one(connection, DECISIONS, "decision_id", str(before.decision_id))
            if row is None or _DECISION.decode(row.content).step != before.step:
                return False
            same = DECISIONS.c.decision_id == str(before.decision_id)
            connection.execute(update(DECISIONS).where(same).values(**values))
            self._tell(connection, outcome)
            if order:
                self._outbox.add(connection, order, COMMANDS, subject=str(order.decision_id))
            elif before.state == "executing":
                self._outbox.settle(connection, str(before.decision_id))
            return True

    def update(self, decision: Decision, *, due_at: datetime, order: Command | None = None) -> None:
        """Keep a decision that stays in its state: joined by an alert, ordered again, or only due later."""
        values = {"content": msgspec.json.encode(decision), "due_at_seconds": due_at.timestamp()}
        same = (DECISIONS.c.decision_id == str(decision.decision_id)) & (DECISIONS.c.state == decision.state)
        with self._engine.begin() as connection:
            connection.execute(update(DECISIONS).where(same).values(**values))
            if order:
                self._outbox.settle(connection, str(order.decision_id))
                self._outbox.add(connection, order, COMMANDS, subject=str(order.decision_id))

    def join(self, decision: Decision, alert: Alert) -> None:
        """Keep a decision that one more alert has joined."""
        same = (DECISIONS.c.decision_id == str(decision.decision_id)) & (DECISIONS.c.state == decision.state)
        with self._engine.begin() as connection:
            connection.execute(update(DECISIONS).where(same).values(content=msgspec.json.encode(decision)))
            _considered(connection, alert, decision.decision_id)

    def waiting(self) -> list[Decision]:
        """Decisions that a person has not approved yet, oldest first."""
        statement = select(DECISIONS.c.content).where(
            DECISIONS.c.state == "proposed", DECISIONS.c.approved_by.is_(None)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(DECISIONS.c.opened_at_seconds)).scalars()
            return [_DECISION.decode(row) for row in rows]

    def approve(self, decision_id: UUID, person: str) -> bool:
        """Record a person's approval of a proposed decision and make it due at once; False where none waits."""
        waiting = (DECISIONS.c.decision_id == str(decision_id)) & (DECISIONS.c.state == "proposed")
        values = {"approved_by": person, "due_at_seconds": 0.0}
        with self._engine.begin() as connection:
            return bool(connection.execute(update(DECISIONS).where(waiting).values(**values)).rowcount)

    def approved_by(self, decision: Decision) -> str | None:
        """The person who approved it."""
        with self._engine.connect() as connection:
            row = _one(connection, DECISIONS, "decision_id", str(decision.decision_id))
            return None if row is None or row.approved_by is None else str(row.approved_by)

    def answer(self, decision: Decision) -> Outcome | None:
        """What the registry said of the decision's command; that it took effect counts more than that it did not."""
        same = (OUTCOMES.c.decision_id == str(decision.decision_id)) & (OUTCOMES.c.actor == REGISTRY)
        statement = select(OUTCOMES.c.message).where(same).order_by(OUTCOMES.c.state)  # executing before failed
        with self._engine.connect() as connection:
            message = connection.execute(statement.limit(1)).scalar()
            return Outcome.decode(message) if message else None

    def ordered_at(self, decision: Decision) -> list[datetime]:
        """When other rollbacks of the same target were ordered."""
        statement = select(DECISIONS.c.ordered_at_seconds).where(
            DECISIONS.c.target == decision.target.key,
            DECISIONS.c.decision_id != str(decision.decision_id),
            DECISIONS.c.ordered_at_seconds.is_not(None),
        )
        with self._engine.connect() as connection:
            zone = decision.opened_at.tzinfo
            return [datetime.fromtimestamp(moment, zone) for moment in connection.execute(statement).scalars()]

    def left_versions(self, target: Target) -> frozenset[str]:
        """The versions that a rollback took out of service."""
        left = DECISIONS.c.state.in_(("verifying", "done", "failed", "inconclusive"))
        statement = select(DECISIONS.c.from_version).where(
            DECISIONS.c.target == target.key, DECISIONS.c.ordered_at_seconds.is_not(None), left
        )
        with self._engine.connect() as connection:
            return frozenset(connection.execute(statement).scalars())

    def forget_alerts(self, now: datetime, kept: timedelta) -> None:
        """Drop resolved and considered alerts that are older; what fires, decisions and outcomes stay."""
        old = (ALERTS.c.changed_at_seconds < (now - kept).timestamp()) & (ALERTS.c.state != "firing")
        with self._engine.begin() as connection:
            connection.execute(delete(ALERTS).where(old, ALERTS.c.due_at_seconds.is_(None)))

    def _tell(self, connection: Connection, outcome: Outcome) -> None:
        content = {"actor": outcome.actor, "state": outcome.state, "message": outcome.encode()}
        row = {"outcome_id": str(outcome.outcome_id), "decision_id": str(outcome.decision_id)}
        connection.execute(insert(OUTCOMES).values(**row, **content))
        self._outbox.add(connection, outcome, OUTCOME_TOPIC)


def _one(connection: Connection, table: Table, column: str, key: str) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c[column] == key)).one_or_none()


def _considered(connection: Connection, alert: Alert, decision: UUID | None) -> None:
    # only this change of the alert: a newer one that came meanwhile stays due
    seen = (ALERTS.c.alert_id == str(alert.alert_id)) & (ALERTS.c.changed_at_seconds <= alert.changed_at.timestamp())
    connection.execute(update(ALERTS).where(seen).values(due_at_seconds=None))
    if decision is not None:
        same = ALERTS.c.alert_id == str(alert.alert_id)
        connection.execute(update(ALERTS).where(same).values(decision_id=str(decision)))


def outcomes_of(engine: Engine, decision_id: UUID) -> Sequence[Outcome]:
    """Every outcome of a decision, in the order of its steps."""
    statement = select(OUTCOMES.c.message).where(OUTCOMES.c.decision_id == str(decision_id))
    with engine.connect() as connection:
        found = [Outcome.decode(message) for message in connection.execute(statement).scalars()]
    return sorted(found, key=lambda outcome: (outcome.step, outcome.changed_at))
