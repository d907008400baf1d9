"""What is planned for the broker's topics, and what is refused."""

from dataclasses import replace

import pytest

from schemas.topics import CALLS, DEPLOYMENTS, every_topic
from services.shared.kafka import LARGEST_MESSAGE_BYTES
from services.shared.topic_plan import Broker, Change, Found, Wish, plan, settings

ONE = Wish.on(1)
NAME = "t.calls.v1"


def found(topic=CALLS, *, copies=1, partitions=None, empty=True, **changed):
    told = settings(topic, copies) | {name.replace("_", "."): value for name, value in changed.items()}
    return Found(partitions or topic.partitions, copies, told, empty)


def step(there, *, topic=CALLS, wish=ONE, **broker):
    (made,) = plan({NAME: topic}, Broker({NAME: there} if there else {}, 1, **broker), wish).steps
    return made


def test_what_is_as_declared_is_kept():
    made = step(found())
    assert (made.action, made.pending, made.refused, made.notes) == ("keep", False, (), ())


def test_what_is_missing_is_made_as_declared():
    made = step(None)
    assert (made.action, made.partitions, made.copies) == ("create", 8, 1)
    assert made.settings["retention.ms"] == str(CALLS.retention_seconds * 1000)


@pytest.mark.parametrize(
    ("brokers", "given", "copies", "in_sync"),
    [(1, None, 1, "1"), (2, None, 1, "1"), (3, None, 3, "2"), (5, None, 3, "2"), (3, 1, 1, "1"), (3, 2, 2, "1")],
)
def test_copies_follow_from_the_brokers(brokers, given, copies, in_sync):
    made = step(None, wish=Wish.on(brokers, given))
    assert (made.copies, made.settings["min.insync.replicas"]) == (copies, in_sync)


def test_what_is_compacted_has_no_retention_and_a_bound_in_size_is_kept_where_it_is_declared():
    assert "retention.ms" not in settings(DEPLOYMENTS, 1)
    assert settings(replace(CALLS, retention_bytes=10**9), 1)["retention.bytes"] == "1000000000"
    assert "retention.bytes" not in settings(CALLS, 1)


def test_a_longer_retention_is_a_change():
    made = step(found(retention_ms="1000"))
    assert (made.action, made.changes) == ("change", (Change("retention.ms", "1000", "604800000"),))


@pytest.mark.parametrize(
    ("topic", "there"),
    [
        (CALLS, {"retention_ms": "604800001"}),
        (CALLS, {"retention_ms": "-1"}),
        (replace(CALLS, retention_bytes=10), {"retention_bytes": "11"}),
        (replace(CALLS, retention_bytes=10), {"retention_bytes": "-1"}),
    ],
)
def test_a_shorter_retention_is_refused_unless_it_is_allowed(topic, there):
    refused = step(found(topic, **there), topic=topic)
    assert (refused.action, refused.changes) == ("refuse", ())
    assert "--allow-shorter-retention" in refused.refused[0]
    assert step(found(topic, **there), topic=topic, wish=Wish(1, shorter=True)).action == "change"


@pytest.mark.parametrize(("declared", "there"), [("compact", "delete"), ("delete", "compact")])
def test_another_cleanup_policy_is_refused_whatever_is_allowed(declared, there):
    made = step(found(cleanup_policy=there), topic=replace(CALLS, cleanup=declared), wish=Wish(1, shorter=True))
    assert "cleanup.policy" in made.refused[0]


def test_fewer_partitions_are_refused():
    made = step(found(partitions=12))
    assert (made.action, made.partitions, made.pending) == ("refuse", 12, False)


def test_more_partitions_are_added_only_where_nothing_lies():
    grown = step(found(partitions=4))
    assert (grown.action, grown.found_partitions, grown.partitions) == ("grow", 4, 8)
    kept = step(found(partitions=4, empty=False))
    assert (kept.action, kept.grow) == ("refuse", False)
    assert "new version" in kept.refused[0]


def test_fewer_copies_than_wanted_are_refused_with_the_remedy_and_more_are_welcome():
    wish = Wish.on(3)
    assert "--replication-factor 1" in step(found(), wish=wish).refused[0]
    assert step(found(copies=3), wish=Wish.on(3, 1)).action == "keep"


def test_what_the_broker_cannot_do_is_said():
    assert "adds no partitions" in step(found(partitions=4), grows=False).refused[0]
    assert "changes no settings" in step(found(retention_ms="1"), alters=False).refused[0]
    assert step(Found(8, 1, None, True)).notes == ("this broker does not tell its settings",)
    silent = step(Found(8, 1, {"cleanup.policy": "delete"}, True))
    assert silent.notes == ("this broker does not tell max.message.bytes, min.insync.replicas, retention.ms",)
    assert not silent.pending


def test_what_one_setting_is_refused_does_not_hold_the_others_back():
    made = step(found(retention_ms="-1", max_message_bytes="1000"))
    assert [change.setting for change in made.changes] == ["max.message.bytes"]
    assert (made.action, made.pending) == ("refuse", True)


def test_what_nobody_declares_is_told_and_stays():
    made = plan({NAME: CALLS}, Broker({NAME: found(), "t.other": found()}, 1), ONE)
    assert (made.unknown, made.pending) == (("t.other",), False)


@pytest.mark.parametrize("topic", every_topic(), ids=lambda topic: topic.name)
def test_every_declared_message_can_be_fetched_and_stays_for_a_while(topic):
    assert topic.max_message_bytes <= LARGEST_MESSAGE_BYTES
    assert topic.retention_seconds >= 3 * 86_400
    assert topic.cleanup in {"delete", "compact"}
