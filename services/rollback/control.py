"""Alerts considered, decisions driven: each step reads the world, then changes the store in one transaction."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from schemas.messages import UNDECODABLE, Alert, Command, Deployment, Outcome, Window
from schemas.messages.message import Json
from schemas.messages.outcome import State
from services.rollback.metrics import AWAY, COMMANDS, ESCALATIONS, OUTCOMES
from services.rollback.registry_client import Lease, LeasedError, RegistryAwayError, RegistryClient
from services.rollback.rollback.decision import ACTOR, Decision, join, move, order, propose, switched
from services.rollback.rollback.policies import Policy, chosen
from services.rollback.rollback.prechecks import Facts, precheck
from services.rollback.rollback.verification import deadline, recovery
from services.rollback.store import REGISTRY, Store

LOG = logging.getLogger(__name__)
Subject = TypeVar("Subject")
STATES_A_STEP = 4  # proposed, approved, executing and an answer: more would only wait


class EvidenceAwayError(Exception):
    """The store of windows does not answer; asking again later is the remedy."""


@dataclass(frozen=True)
class Timing:
    """Times in seconds; the settings of the same names say what they mean."""

    poll_seconds: float = 1.0
    repeat_seconds: float = 5.0
    answer_seconds: float = 120.0
    lease_seconds: float = 60.0
    alert_retention_seconds: float = 604_800.0


Evidence = Callable[[Alert, str, datetime], Sequence[Window]]  # alert, version, since


class Control:
    """Policies applied to alerts; a crash between any two lines is made good by the next step.

    `evidence` gives the windows of an alert's metric for a version since a moment, or raises `EvidenceAwayError`.
    `enabled` False is the kill switch: decisions are made, and refused.
    """

    def __init__(
        self,
        store: Store,
        registry: RegistryClient,
        evidence: Evidence,
        *,
        policies: Sequence[Policy],
        enabled: bool = True,
        timing: Timing = Timing(),
    ) -> None:
        self._store, self._registry, self._evidence = store, registry, evidence
        self._policies, self._enabled, self._timing = policies, enabled, timing
        self._forgot_at: datetime | None = None

    def record(self, messages: Sequence[Alert | Outcome], now: datetime) -> None:
        """Store alerts, and the registry's outcomes; each once."""
        for message in messages:
            if isinstance(message, Alert):
                self._store.keep_alert(message, now)
            elif message.actor == REGISTRY and message.kind == "rollback":
                self._store.keep_outcome(message, now)

    def step(self, now: datetime) -> None:
        """Consider new alerts and take every step that is due."""
        for alert in self._store.due_alerts(now):
            self._attempt(self._consider, alert, now)
        for decision in self._store.due_decisions(now):
            self._attempt(self._drive, decision, now)
        self._forget(now)

    def _attempt(self, act: Callable[[Subject, datetime], None], subject: Subject, now: datetime) -> None:
        try:
            act(subject, now)
        except RegistryAwayError as error:
            AWAY.labels("registry").inc()
            LOG.warning("The registry does not answer; the step is tried again.", extra={"error": str(error)})
        except EvidenceAwayError as error:
            AWAY.labels("evidence").inc()
            LOG.warning("The windows cannot be read; the step is tried again.", extra={"error": str(error)})
        except UNDECODABLE as error:
            LOG.error("The registry's answer cannot be read.", extra={"error": str(error)})
            if isinstance(subject, Alert):  # anybody's calls lead to one; a decision is tried again
                self._store.considered(subject)

    def _consider(self, alert: Alert, now: datetime) -> None:
        if alert.state != "firing" or self._store.decided(alert):
            self._store.considered(alert)
            return
        waiting = self._store.open_decision(alert.segment.target)
        if waiting is not None:
            self._join(waiting, alert)
            return
        policy = chosen(self._policies, alert)
        if policy is None or now - alert.window_end > timedelta(seconds=policy.alert_max_age_seconds):
            self._store.considered(alert)
            return
        self._propose(policy, alert, now)

    def _join(self, decision: Decision, alert: Alert) -> None:
        if decision.from_version == alert.segment.version:
            self._store.join(join(decision, alert), alert)
        elif decision.to_version != alert.segment.version:
            self._store.considered(alert)
        # an alert about the version that is being restored waits for the decision to end

    def _propose(self, policy: Policy, alert: Alert, now: datetime) -> None:
        deployment = self._registry.deployment(alert.segment.target)
        if deployment is None or deployment.version != alert.segment.version:
            LOG.info("The version of an alert does not serve.", extra={"alert_id": str(alert.alert_id)})
            self._store.considered(alert)
        elif deployment.previous_version is None:
            LOG.error("There is no earlier version to restore.", extra={"alert_id": str(alert.alert_id)})
            self._store.considered(alert)
        else:
            decision, outcome = propose(policy, alert, deployment, now)
            self._store.open(decision, outcome, alert)
            _told(outcome)

    def _drive(self, decision: Decision, now: datetime) -> None:
        for _ in range(STATES_A_STEP):
            known = self._store.decision(decision.decision_id)
            if known is None or not known.open or not self._act(known, now):
                return

    def _act(self, decision: Decision, now: datetime) -> bool:
        """Take the step of the decision's state; whether it moved."""
        policy = next((policy for policy in self._policies if policy.name == decision.policy), None)
        if policy is None and decision.state in ("proposed", "approved"):
            return self._end(decision, "refused", f"the policy {decision.policy} is gone", now=now)
        policy = policy or Policy(name=decision.policy, rules=("*",), severities=("info", "warning", "critical"))
        if decision.state == "proposed":
            return self._await_approval(policy, decision, now)
        if decision.state == "approved":
            return self._execute(policy, decision, now)
        if decision.state == "executing":
            return self._await_answer(decision, now)
        return self._verify(policy, decision, now)

    def _await_approval(self, policy: Policy, decision: Decision, now: datetime) -> bool:
        if policy.approval == "automatic":
            return self._move(decision, "approved", f"the policy {policy.name} approves by itself", now=now)
        person = self._store.approved_by(decision)
        if person is not None:
            return self._move(decision, "approved", f"approved by {person}", now=now, actor=person)
        if now - decision.opened_at > timedelta(seconds=policy.approval_seconds):
            return self._end(decision, "refused", "nobody approved it in time", now=now)
        self._store.update(decision, due_at=self._later(now))
        return False

    def _execute(self, policy: Policy, decision: Decision, now: datetime) -> bool:
        facts = self._facts(decision)
        obstacle = precheck(policy, decision, facts, now)
        if obstacle is not None:
            return self._end(decision, obstacle.state, obstacle.reason, now=now, evidence={"check": obstacle.check})
        assert facts.deployment is not None
        try:
            lease = self._registry.lease(decision.target, _holder(decision), self._timing.lease_seconds)
        except LeasedError as leased:
            return self._wait_for_lease(policy, decision, str(leased), now=now)
        if (lease.version, lease.revision) != (decision.from_version, facts.deployment.revision):
            return True  # it changed between two questions: ask again
        return self._order(decision, lease, now)

    def _facts(self, decision: Decision) -> Facts:
        stopped = None if self._enabled else "rollback is switched off by its setting"
        return Facts(
            deployment=self._registry.deployment(decision.target),
            stopped=stopped or self._registry.stopped(decision.target),
            ordered_at=self._store.ordered_at(decision),
            left_versions=self._store.left_versions(decision.target),
            unrecovered=self._store.unrecovered(decision.target),
        )

    def _wait_for_lease(self, policy: Policy, decision: Decision, why: str, *, now: datetime) -> bool:
        if now - decision.changed_at > timedelta(seconds=policy.alert_max_age_seconds):
            return self._end(decision, "refused", why, now=now, evidence={"check": "lease"})
        self._store.update(decision, due_at=self._later(now))
        return False

    def _order(self, decision: Decision, lease: Lease, now: datetime) -> bool:
        ordered = order(decision, expected_revision=lease.revision, fencing_token=lease.fencing_token, now=now)
        evidence: dict[str, Json] = {"revision": lease.revision, "fencing_token": lease.fencing_token}
        reason = f"{decision.to_version} is to be restored"
        moved = self._move(ordered, "executing", reason, now=now, evidence=evidence, order=ordered.command)
        COMMANDS.labels("first").inc()
        return moved

    def _await_answer(self, decision: Decision, now: datetime) -> bool:
        answer = self._store.answer(decision)
        if answer is not None:
            return self._answered(decision, answer, now)
        assert decision.command is not None
        if now - decision.command.issued_at < timedelta(seconds=self._timing.repeat_seconds):
            self._store.update(decision, due_at=self._later(now))
            return False
        return self._ask_again(decision, now)

    def _answered(self, decision: Decision, answer: Outcome, now: datetime) -> bool:
        self._release(decision)
        if answer.state != "executing":
            return self._end(decision, "refused", answer.reason, now=now, evidence=dict(answer.evidence))
        after = switched(decision, answer.changed_at, _revision(answer))
        return self._move(after, "verifying", answer.reason, now=now, evidence=dict(answer.evidence))

    def _ask_again(self, decision: Decision, now: datetime) -> bool:
        """No answer: the order may be lost, or only the answer; the registry's state tells."""
        running = self._registry.deployment(decision.target)
        if running is not None and running.decision_id == decision.decision_id:
            return self._took_effect(decision, running, now)
        try:
            if now - decision.changed_at > timedelta(seconds=self._timing.answer_seconds):
                return self._fence(decision, now)
            lease = self._registry.lease(decision.target, _holder(decision), self._timing.lease_seconds)
        except LeasedError:
            self._store.update(decision, due_at=self._later(now))
            return False
        assert decision.command is not None
        revision = decision.command.expected_revision
        again = order(decision, expected_revision=revision, fencing_token=lease.fencing_token, now=now)
        self._store.update(again, due_at=self._later(now), order=again.command)
        COMMANDS.labels("again").inc()
        return False

    def _took_effect(self, decision: Decision, running: Deployment, now: datetime) -> bool:
        after = switched(decision, running.deployed_at, running.revision)
        return self._move(after, "verifying", "the registry shows that it took effect", now=now)

    def _fence(self, decision: Decision, now: datetime) -> bool:
        """Give up, but first make sure that an order that is still on its way has no effect."""
        fence = self._registry.lease(decision.target, f"{_holder(decision)}:ended", 1.0)
        self._registry.release(decision.target, fence.fencing_token)
        running = self._registry.deployment(decision.target)
        if running is not None and running.decision_id == decision.decision_id:
            return self._took_effect(decision, running, now)
        evidence: dict[str, Json] = {"serving": running.version if running else None}
        return self._end(decision, "failed", "the registry did not answer the command", now=now, evidence=evidence)

    def _verify(self, policy: Policy, decision: Decision, now: datetime) -> bool:
        assert decision.switched_at is not None
        running = self._registry.deployment(decision.target)
        if running is None or running.version != decision.to_version:
            serving = running.version if running else "nothing"
            return self._end(decision, "inconclusive", f"{serving} was deployed meanwhile", now=now)
        judged = [alert for alert in decision.alerts if policy.covers(alert)] or list(decision.alerts)
        since = decision.switched_at
        windows = {alert.alert_id: self._evidence(alert, decision.to_version, since) for alert in judged}
        found = recovery(judged, windows, policy.verification)
        evidence: dict[str, Json] = {"recovery": list(found.evidence), "revision": decision.revision}
        if found.verdict == "healthy":
            return self._end(decision, "done", found.reason, now=now, evidence=evidence)
        if found.verdict == "unhealthy":
            return self._end(decision, "failed", found.reason, now=now, evidence=evidence)
        if now > deadline(judged, since, policy.verification):
            return self._end(decision, "inconclusive", found.reason, now=now, evidence=evidence)
        self._store.update(decision, due_at=self._later(now))
        return False

    def _end(
        self,
        decision: Decision,
        state: State,
        reason: str,
        *,
        now: datetime,
        evidence: dict[str, Json] | None = None,
    ) -> bool:
        moved = self._move(decision, state, reason, now=now, evidence=evidence)
        if moved and decision.command is not None and state != "done":
            ESCALATIONS.labels(state).inc()
            LOG.error(
                "A rollback did not end well; a person has to look at it.",
                extra={"decision_id": str(decision.decision_id), "state": state, "reason": reason},
            )
        return False

    def _move(
        self,
        decision: Decision,
        state: State,
        reason: str,
        *,
        now: datetime,
        actor: str = ACTOR,
        evidence: dict[str, Json] | None = None,
        order: Command | None = None,
    ) -> bool:
        after, outcome = move(decision, state, reason=reason, now=now, actor=actor, evidence=evidence)
        moved = self._store.advance(decision, after, outcome, due_at=now, order=order)
        if moved:
            _told(outcome)
        return moved

    def _release(self, decision: Decision) -> None:
        if decision.command is not None:
            self._registry.release(decision.target, decision.command.fencing_token)

    def _later(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._timing.poll_seconds)

    def _forget(self, now: datetime) -> None:
        if self._forgot_at is None or now - self._forgot_at > timedelta(hours=1):
            self._store.forget_alerts(now, timedelta(seconds=self._timing.alert_retention_seconds))
            self._forgot_at = now


def _holder(decision: Decision) -> str:
    return f"rollback:{decision.decision_id}"


def _revision(answer: Outcome) -> int | None:
    revision = answer.evidence.get("revision")
    return revision if isinstance(revision, int) else None


def _told(outcome: Outcome) -> None:
    OUTCOMES.labels(outcome.policy, outcome.state).inc()
    fields = {"decision_id": str(outcome.decision_id), "state": outcome.state, "reason": outcome.reason}
    LOG.warning("A rollback moved on.", extra=fields)
