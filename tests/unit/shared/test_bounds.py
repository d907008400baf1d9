"""Where a replay ends."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from services.shared.bounds import Bounds

FIRST, SECOND = TopicPartition("t.calls.v1", 0), TopicPartition("t.calls.v1", 1)
OTHER = TopicPartition("t.scores.v1", 0)


def records(*offsets):
    return [SimpleNamespace(offset=offset) for offset in offsets]


def offsets(cut):
    return {partition: [each.offset for each in found] for partition, found in cut.records.items()}


def test_without_ends_everything_is_read():
    fetched = {FIRST: records(1, 2), OTHER: records(7)}
    assert Bounds({}, "t.").cut(fetched) == (fetched, {})
    assert Bounds({}, "t.").topics(["calls.v1", "scores.v1"]) == ["calls.v1", "scores.v1"]


def test_only_the_topic_that_is_replayed_is_read():
    assert Bounds({"calls.v1": [3, 4]}, "t.").topics(["calls.v1", "scores.v1"]) == ["calls.v1"]


@pytest.mark.parametrize(
    ("fetched", "inside", "reached"),
    [
        ({FIRST: records(0, 1)}, {FIRST: [0, 1]}, {}),
        ({FIRST: records(0, 1, 2)}, {FIRST: [0, 1, 2]}, {FIRST: 3}),
        ({FIRST: records(1, 2, 3, 4)}, {FIRST: [1, 2]}, {FIRST: 3}),
        ({FIRST: records(5)}, {}, {FIRST: 3}),  # the last ones before the end were compacted away
        ({FIRST: records(2, 9), SECOND: records(2)}, {FIRST: [2], SECOND: [2]}, {FIRST: 3}),
    ],
)
def test_what_lies_at_the_end_or_beyond_is_cut_off(fetched, inside, reached):
    cut = Bounds({"calls.v1": [3, 4]}, "t.").cut(fetched)
    assert (offsets(cut), cut.reached) == (inside, reached)
