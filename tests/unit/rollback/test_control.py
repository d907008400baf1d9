"""From alert to verified rollback, with a real registry and real databases."""

import msgspec
import pytest

from schemas.messages import Command, Outcome, Segment, Target
from services.registry.registry import Order, Version, content_hash
from services.rollback.control import EvidenceAwayError
from services.rollback.registry_client import RegistryClient
from services.shared.outbox import OUTBOX

from .scene import HEALTHY, POLICY, SECRET, TARGET, a_window, an_alert, at, recovered


def test_a_bad_version_is_rolled_back_and_the_recovery_verified(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.deliver(13)
    scene.step(14)
    recovered(scene)
    scene.step(40)
    assert scene.states() == HEALTHY
    assert scene.revisions() == ["v1", "v2", "v1"]
    done = scene.sent(Outcome)[-1]
    assert done.reason == "response_toxicity: 0.4 before, 0.02 after"
    assert (done.from_version, done.to_version, done.step) == ("v2", "v1", 4)


def test_several_alerts_about_one_version_are_one_decision(stage):
    scene = stage()
    scene.record(an_alert(), an_alert(rule="errors"), seconds=11)
    scene.step(12)
    scene.deliver(13)
    scene.step(14)
    assert scene.states() == HEALTHY[:4]
    assert {entry["rule"] for entry in scene.sent(Outcome)[-1].evidence["alerts"]} == {"toxic-responses", "errors"}


def test_an_alert_that_no_policy_names_does_nothing(stage):
    scene = stage()
    scene.record(an_alert(rule="slow-responses", severity="warning"), an_alert(severity="warning"), seconds=11)
    scene.step(12)
    assert scene.sent(Outcome) == []


def test_an_alert_about_a_version_that_does_not_serve_does_nothing(stage):
    scene = stage()
    scene.record(an_alert(version="v1"), seconds=11)
    scene.step(12)
    assert scene.sent(Outcome) == []


def test_a_resolved_alert_does_nothing(stage):
    scene = stage()
    scene.record(an_alert(), an_alert(state="resolved", changed_at=at(30)), seconds=31)
    scene.step(32)
    assert scene.sent(Outcome) == []


@pytest.mark.parametrize(
    ("policy", "state", "check"),
    [
        ({"dry_run": True}, "refused", "dry_run"),
        ({"minimum_count": 50}, "inconclusive", "enough_calls"),
        ({"to_max_age_seconds": 5}, "refused", "not_too_old"),
    ],
)
def test_what_the_policy_does_not_allow_is_not_done(stage, policy, state, check):
    scene = stage(msgspec.structs.replace(POLICY, **policy))
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert scene.states() == ["proposed", "approved", state]
    assert scene.sent(Outcome)[-1].evidence["check"] == check
    assert scene.sent(Command) == []


def test_the_kill_switch_refuses(stage):
    scene = stage(enabled=False)
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert scene.states()[-1] == "refused"


def test_a_freeze_in_the_registry_refuses(stage):
    scene = stage()
    scope = {"tenant": "t", "app": "docs-bot", "environment": ""}
    scene.registry.store.freeze(scope, "the host is being moved", "someone")
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert "the host is being moved" in scene.sent(Outcome)[-1].reason


def test_a_person_who_is_faster_wins(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    client = scene.client
    client.release(TARGET, scene.sent(Command)[0].fencing_token)
    scene.registry.deploy("v3")
    scene.deliver(13)
    scene.step(14)
    assert scene.states() == ["proposed", "approved", "executing", "refused"]
    assert scene.registry.serving().version == "v3"


def test_a_lease_of_somebody_else_is_waited_for(stage):
    scene = stage()
    lease = scene.client.lease(TARGET, "someone", 60)
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert scene.states()[-1] == "approved"
    scene.client.release(TARGET, lease.fencing_token)
    scene.step(14)
    assert scene.states()[-1] == "executing"


def rolled_back(scene, seconds, index):
    scene.record(an_alert(index), seconds=seconds)
    scene.step(seconds)
    scene.deliver(seconds + 1)
    scene.step(seconds + 2)
    scene.windows = [a_window(at(seconds + 5 + 5 * number), 0.02) for number in range(3)]
    scene.step(seconds + 25)


def test_at_most_one_in_half_an_hour(stage):
    scene = stage()
    rolled_back(scene, 12, 0)
    scene.registry.deploy("v2")
    rolled_back(scene, 112, 20)
    assert scene.sent(Outcome)[-1].evidence["check"] == "pause"
    assert scene.registry.serving().version == "v2"


def test_at_most_three_a_day(stage):
    scene = stage()
    for index in range(4):
        rolled_back(scene, 12 + 2000 * index, 400 * index)
        scene.registry.deploy("v2")
    assert scene.sent(Outcome)[-1].evidence["check"] == "most_per_day"


def test_a_version_that_was_rolled_back_from_is_never_restored(stage):
    scene = stage()
    rolled_back(scene, 12, 0)
    scene.registry.deploy("v2", "v3")
    scene.record(an_alert(400, version="v3"), seconds=2011)
    scene.step(2012)
    assert scene.sent(Outcome)[-1].evidence["check"] == "healthy_before"


def test_a_sick_version_is_never_restored(stage):
    scene = stage()
    scene.record(an_alert(rule="errors", version="v1"), seconds=11)
    scene.step(12)
    scene.record(an_alert(), seconds=13)
    scene.step(14)
    assert scene.sent(Outcome)[-1].evidence["check"] == "healthy_before"


def test_an_alert_is_forgotten_a_week_after_its_end_and_never_while_it_fires(stage):
    scene, week = stage(), 604_800
    bad = an_alert(severity="warning")
    scene.record(bad, seconds=11)
    scene.step(12)
    scene.step(week + 60)
    assert scene.store.unrecovered(TARGET) == [bad]
    scene.record(msgspec.structs.replace(bad, state="resolved", changed_at=at(week + 70)), seconds=week + 71)
    scene.step(week + 72)
    scene.step(2 * week + 4000)
    with scene.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alerts").scalar() == 0


def test_a_version_that_a_person_took_out_while_it_was_sick_is_never_restored(stage):
    scene = stage()
    bad = an_alert(version="v2", count=1)  # too few calls for the policy: a person acts
    scene.record(bad, seconds=11)
    scene.step(12)
    scene.registry.store.deploy(Order(target=TARGET, version="v1", deployed_by="ann"))
    gone = {"state": "resolved", "changed_at": at(40), "labels": {**bad.labels, "replaced": "true"}}
    scene.record(msgspec.structs.replace(bad, **gone), seconds=41)
    scene.record(an_alert(20, version="v1"), seconds=111)
    scene.step(112)
    assert scene.sent(Outcome)[-1].evidence["check"] == "healthy_before"
    assert scene.registry.serving().version == "v1"


def test_a_version_that_has_recovered_stays_though_a_person_approves(stage):
    scene = stage(msgspec.structs.replace(POLICY, approval="manual"))
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.record(an_alert(state="resolved", changed_at=at(30)), seconds=31)
    scene.store.approve(scene.sent(Outcome)[0].decision_id, "ann")
    scene.step(1001)
    assert scene.states() == ["proposed", "approved", "refused"]
    assert scene.sent(Outcome)[-1].evidence["check"] == "still_fires"


def test_approval_by_a_person(stage):
    scene = stage(msgspec.structs.replace(POLICY, approval="manual"))
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert scene.states() == ["proposed"]
    assert scene.store.approve(scene.sent(Outcome)[0].decision_id, "ann")
    scene.step(1001)
    assert scene.states() == ["proposed", "approved", "executing"]
    assert scene.sent(Outcome)[1].actor == "ann"


def test_nobody_approves(stage):
    scene = stage(msgspec.structs.replace(POLICY, approval="manual"))
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.step(4000)
    assert scene.states() == ["proposed", "refused"]


def test_an_order_without_an_answer_is_given_again(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.step(18)
    first, second = scene.sent(Command)
    assert (first.decision_id, first.fencing_token) == (second.decision_id, second.fencing_token)
    scene.deliver(19)
    scene.step(20)
    assert scene.states()[-1] == "verifying"
    assert scene.revisions() == ["v1", "v2", "v1"]


def test_a_lost_answer_is_read_from_the_registry(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.registry.store.execute(scene.sent(Command)[0])
    scene.step(18)
    assert scene.states()[-1] == "verifying"


def test_an_order_that_is_given_up_can_have_no_effect_later(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    for second in range(12, 260, 6):
        scene.step(second)
    assert scene.states()[-1] == "failed"
    scene.deliver(270)
    assert scene.registry.serving().version == "v2"


def test_a_registry_that_is_away_is_waited_for(stage):
    scene = stage()
    scene.control._registry = RegistryClient("http://127.0.0.1:9", SECRET)
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    assert scene.sent(Outcome) == []
    scene.control._registry.close()
    scene.restart()
    scene.step(14)
    assert scene.states()[-1] == "executing"


def test_an_alert_about_a_target_that_cannot_be_asked_for_stops_no_other(stage):
    scene = stage()
    stray = Segment(tenant="t", app="docs-bot", environment="production/history", version="v2")
    scene.record(msgspec.structs.replace(an_alert(rule="errors"), segment=stray), an_alert(), seconds=11)
    scene.step(12)
    assert scene.states()[-1] == "executing"
    assert scene.store.due_alerts(at(12)) == []


def verifying(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    scene.deliver(13)
    scene.step(14)
    return scene


def test_a_version_that_does_not_recover_is_escalated_and_stays(stage):
    scene = verifying(stage)
    recovered(scene, mean=0.3)
    scene.step(40)
    assert scene.states()[-1] == "failed"
    assert scene.revisions() == ["v1", "v2", "v1"]


def test_silence_is_no_recovery(stage):
    scene = verifying(stage)
    scene.step(80)
    assert scene.states()[-1] == "verifying"
    scene.step(110)
    assert scene.states()[-1] == "inconclusive"


def test_windows_that_cannot_be_read_are_waited_for(stage):
    scene = verifying(stage)
    scene.evidence_error = EvidenceAwayError("down")
    scene.step(40)
    scene.evidence_error = None
    recovered(scene)
    scene.step(42)
    assert scene.states()[-1] == "done"


def test_a_deployment_during_verification_ends_it(stage):
    scene = verifying(stage)
    scene.registry.store.deploy(Order(target=TARGET, version="v2", deployed_by="someone"))
    scene.step(20)
    assert scene.states()[-1] == "inconclusive"


def test_the_order_waits_in_the_outbox_until_it_has_its_answer(stage):
    scene = stage()
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    settled = OUTBOX.select().where(OUTBOX.c.topic == "commands.v1")
    with scene.engine.connect() as connection:
        assert [row.settled for row in connection.execute(settled)] == [False]
    scene.deliver(13)
    scene.step(14)
    with scene.engine.connect() as connection:
        assert [row.settled for row in connection.execute(settled)] == [True]


def test_a_tenant_whose_name_is_not_ascii_is_served_like_any_other(stage):
    scene, named = stage(), {"tenant": "Größe & 東京", "app": "größe", "environment": "production"}
    target = Target(**named)
    version = Version(target.tenant, target.app, "v1", content_hash({"model": "m"}), {"model": "m"}, at(0), "someone")
    scene.registry.store.register(version)
    made = scene.registry.store.deploy(Order(target=target, version="v1", deployed_by="someone"))
    assert scene.client.deployment(target) == made
    lease = scene.client.lease(target, "rollback", 30)
    scene.client.release(target, lease.fencing_token)
    assert scene.client.stopped(target) is None
    stray = msgspec.structs.replace(an_alert(version="v1"), segment=Segment(**named, version="v1"))
    scene.record(stray, an_alert(), seconds=11)
    scene.step(12)
    assert scene.states()[0] == "proposed"
