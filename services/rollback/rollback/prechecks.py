"""What must hold at the moment of execution, not only when it was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from schemas.messages import Alert, Deployment
from services.rollback.rollback.decision import Decision
from services.rollback.rollback.policies import Policy

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Facts:
    """What is known of the target when a decision is to be executed.

    `stopped`: why automatic actions are stopped, if they are. `ordered_at`: when earlier rollbacks of this target
    were ordered. `left_versions`: versions that a rollback took out of service. `unrecovered`: alerts that fire now, or
    fired until their version was replaced.
    """

    deployment: Deployment | None
    stopped: str | None = None
    ordered_at: Sequence[datetime] = ()
    left_versions: frozenset[str] = frozenset()
    unrecovered: Sequence[Alert] = ()


@dataclass(frozen=True)
class Obstacle:
    """Why a decision is not executed, and which state that is."""

    state: Literal["refused", "inconclusive"]
    check: str
    reason: str


def precheck(policy: Policy, decision: Decision, facts: Facts, now: datetime) -> Obstacle | None:
    """The first obstacle, or None: go.

    Missing or stale data is inconclusive and never rolls back; every other obstacle refuses.
    """
    return (
        _stopped(facts)
        or _moved_on(decision, facts)
        or _recovered(policy, decision, facts)
        or _thin_evidence(policy, decision, now)
        or _bad_goal(policy, decision, facts, now)
        or _too_often(policy, facts, now)
        or _dry_run(policy, decision)
    )


def _stopped(facts: Facts) -> Obstacle | None:
    if facts.stopped is None:
        return None
    return Obstacle("refused", "kill_switch", f"automatic actions are stopped: {facts.stopped}")


def _moved_on(decision: Decision, facts: Facts) -> Obstacle | None:
    running = facts.deployment.version if facts.deployment else None
    if running == decision.from_version:
        return None
    return Obstacle("refused", "still_runs", f"{running} runs, not {decision.from_version}: somebody was faster")


def _recovered(policy: Policy, decision: Decision, facts: Facts) -> Obstacle | None:
    firing = {alert.alert_id for alert in facts.unrecovered if alert.state == "firing"}
    if any(alert.alert_id in firing and policy.covers(alert) for alert in decision.alerts):
        return None
    return Obstacle("refused", "still_fires", f"{decision.from_version} is well again: none of the alerts still fires")


def _thin_evidence(policy: Policy, decision: Decision, now: datetime) -> Obstacle | None:
    triggers = [alert for alert in decision.alerts if policy.covers(alert)]
    most = max((alert.count for alert in triggers), default=0)
    if most < policy.minimum_count:
        return Obstacle(
            "inconclusive", "enough_calls", f"{most} calls are no evidence; {policy.minimum_count} would be"
        )
    newest = max(alert.window_end for alert in triggers)
    if policy.approval == "automatic" and now - newest > timedelta(seconds=policy.alert_max_age_seconds):
        return Obstacle("inconclusive", "fresh_data", f"the newest window ended at {newest.isoformat()}")
    return None


def _bad_goal(policy: Policy, decision: Decision, facts: Facts, now: datetime) -> Obstacle | None:
    goal = decision.to_version
    if goal in facts.left_versions:
        return Obstacle("refused", "healthy_before", f"{goal} was itself rolled back from")
    for alert in facts.unrecovered:
        if alert.segment.version == goal and alert.severity == "critical":
            return Obstacle("refused", "healthy_before", f"{goal} is not healthy: {alert.summary}")
    deployment = facts.deployment
    if deployment and now - deployment.deployed_at > timedelta(seconds=policy.to_max_age_seconds):
        return Obstacle("refused", "not_too_old", f"{goal} stopped serving at {deployment.deployed_at.isoformat()}")
    return None


def _too_often(policy: Policy, facts: Facts, now: datetime) -> Obstacle | None:
    pause = timedelta(seconds=policy.pause_seconds)
    if any(now - moment < pause for moment in facts.ordered_at):
        return Obstacle("refused", "pause", f"the last rollback was less than {policy.pause_seconds:.0f} s ago")
    if sum(now - moment < DAY for moment in facts.ordered_at) >= policy.most_per_day:
        return Obstacle("refused", "most_per_day", f"{policy.most_per_day} rollbacks a day are the most")
    return None


def _dry_run(policy: Policy, decision: Decision) -> Obstacle | None:
    if not policy.dry_run:
        return None
    return Obstacle("refused", "dry_run", f"dry run: {decision.to_version} would have been restored")
