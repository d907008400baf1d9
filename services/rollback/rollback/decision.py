"""One decision, from proposed to its end: every change of state is an outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from schemas.ids import decision_id, derived_id
from schemas.messages import Alert, Command, Deployment, Outcome, Target
from schemas.messages.message import Json
from schemas.messages.outcome import OPEN, State
from services.rollback.rollback.policies import Policy

ACTOR = "rollback"


@dataclass(frozen=True)
class Decision:
    """What was decided and how far it has come; `step` is the number of the next outcome.

    `alerts` are the occurrences that it answers, the first of them the one that opened it; `command` is the order
    once it was given; `switched_at` and `revision` are the deployment that it made.
    """

    decision_id: UUID
    target: Target
    from_version: str
    to_version: str
    policy: str
    state: State
    step: int
    alerts: tuple[Alert, ...]
    opened_at: datetime
    changed_at: datetime
    command: Command | None = None
    switched_at: datetime | None = None
    revision: int | None = None

    @property
    def open(self) -> bool:
        """Whether there is something left to do."""
        return self.state in OPEN


def propose(policy: Policy, alert: Alert, deployment: Deployment, now: datetime) -> tuple[Decision, Outcome]:
    """The decision to restore what the alert's version replaced; the same evidence gives the same id.

    The deployment must run the alert's version and name the one before.
    """
    assert deployment.previous_version is not None
    target, bad, good = deployment.target, deployment.version, deployment.previous_version
    decision = Decision(
        decision_id=decision_id(policy.name, target.key, bad, good, alert.window_end),
        target=target,
        from_version=bad,
        to_version=good,
        policy=policy.name,
        state="proposed",
        step=0,
        alerts=(alert,),
        opened_at=now,
        changed_at=now,
    )
    return move(decision, "proposed", reason=alert.summary, now=now)


def move(
    decision: Decision,
    state: State,
    *,
    reason: str,
    now: datetime,
    actor: str = ACTOR,
    evidence: Mapping[str, Json] | None = None,
) -> tuple[Decision, Outcome]:
    """The decision in its next state and the outcome that says so."""
    after = replace(decision, state=state, step=decision.step + 1, changed_at=now)
    outcome = Outcome(
        outcome_id=derived_id("outcome", decision.decision_id, actor, state, decision.step),
        decision_id=decision.decision_id,
        kind="rollback",
        target=decision.target,
        policy=decision.policy,
        state=state,
        step=decision.step,
        actor=actor,
        from_version=decision.from_version,
        to_version=decision.to_version,
        alert_id=decision.alerts[0].alert_id,
        reason=reason,
        evidence={"alerts": [_shown(alert) for alert in decision.alerts], **(evidence or {})},
        changed_at=now,
    )
    return after, outcome


def join(decision: Decision, alert: Alert) -> Decision:
    """The decision with one more alert about the same version; an occurrence that it has is replaced."""
    others = [known for known in decision.alerts if known.alert_id != alert.alert_id]
    first = decision.alerts[0]
    if first.alert_id == alert.alert_id:
        return replace(decision, alerts=(alert, *others))
    return replace(decision, alerts=(*others, alert))


def order(decision: Decision, *, expected_revision: int, fencing_token: int, now: datetime) -> Decision:
    """The decision with its command; given again, only the token and the time differ."""
    command = Command(
        decision_id=decision.decision_id,
        kind="rollback",
        target=decision.target,
        from_version=decision.from_version,
        to_version=decision.to_version,
        expected_revision=expected_revision,
        fencing_token=fencing_token,
        policy=decision.policy,
        alert_id=decision.alerts[0].alert_id,
        reason=decision.alerts[0].summary,
        issued_at=now,
    )
    return replace(decision, command=command)


def switched(decision: Decision, at: datetime, revision: int | None) -> Decision:
    """The decision after its command took effect."""
    return replace(decision, switched_at=at, revision=revision)


def _shown(alert: Alert) -> dict[str, Json]:
    return {
        "alert_id": str(alert.alert_id),
        "rule": alert.rule,
        "metric": alert.metric,
        "group": alert.group,
        "value": alert.value,
        "threshold": alert.threshold,
        "baseline_value": alert.baseline_value,
        "count": alert.count,
        "window_start": alert.window_start.isoformat(),
        "window_end": alert.window_end.isoformat(),
    }
