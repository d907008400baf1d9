"""A controller that is killed, at every step and in between, beside a real registry and real databases."""

from itertools import count

import pytest

from schemas.messages import Command, Outcome
from services.rollback.registry_client import RegistryClient
from services.shared.outbox import Outbox

from .scene import HEALTHY, an_alert, recovered


def test_killed_at_every_step_with_every_message_repeated_one_effect_remains(stage):
    scene = stage()
    recovered(scene)
    for second in count(12):
        scene.record(an_alert(), an_alert(), seconds=second)
        scene.restart()
        scene.step(second)
        scene.restart()
        scene.deliver(second, copies=2)
        if scene.states()[-1] == "done":
            break
        assert second < 60
    assert scene.states() == HEALTHY
    assert scene.revisions() == ["v1", "v2", "v1"]
    assert len(scene.sent(Command)) == 1
    assert len({outcome.outcome_id for outcome in scene.sent(Outcome)}) == len(HEALTHY)


class Killed(BaseException):
    """The process ends here."""


def lives_on(scene):
    """Alerted and run to the end, started again wherever it is killed."""
    scene.record(an_alert(), seconds=11)
    for second in range(12, 60):
        try:
            scene.step(second)
        except Killed:
            scene.restart()
        scene.deliver(second)


@pytest.mark.parametrize("call", range(12))
def test_killed_between_the_registry_s_answer_and_the_own_commit(stage, call, monkeypatch):
    scene = stage()
    recovered(scene)
    calls, send = count(), RegistryClient._send

    def deadly(self, *arguments):
        answer = send(self, *arguments)
        if next(calls) == call:
            raise Killed
        return answer

    monkeypatch.setattr(RegistryClient, "_send", deadly)
    lives_on(scene)
    assert scene.states() == HEALTHY
    assert scene.revisions() == ["v1", "v2", "v1"]


@pytest.mark.parametrize("message", range(6))
def test_killed_at_any_message_a_state_and_its_message_are_both_kept_or_neither(stage, message, monkeypatch):
    scene = stage()
    recovered(scene)
    added, add = count(), Outbox.add

    def deadly(self, *arguments, **options):
        if self is scene.store._outbox and next(added) == message:
            raise Killed
        add(self, *arguments, **options)

    monkeypatch.setattr(Outbox, "add", deadly)
    lives_on(scene)
    assert next(added) > 6
    assert [outcome.state for outcome in scene.sent(Outcome)] == scene.states() == HEALTHY
    assert len(scene.sent(Command)) == 1
    assert scene.revisions() == ["v1", "v2", "v1"]
