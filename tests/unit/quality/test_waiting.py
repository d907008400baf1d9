"""Feedback that waits for its call: kept, found, given up."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from schemas.messages import Feedback
from services.quality.app import MIGRATIONS
from services.quality.waiting import Waiting
from services.shared.database import connect, migrate, state_url


def said(number, text="x"):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Feedback(
        feedback_id=UUID(int=number), call_id=UUID(int=number), tenant="t", kind="comment", given_at=at, text=text
    )


def opened(folder, *, most_bytes=1 << 20, patience=3600.0):
    engine = connect(state_url(folder, "quality"))
    migrate(engine, MIGRATIONS)
    return Waiting(engine, most_bytes, patience)


@pytest.fixture
def waiting(tmp_path):
    made = opened(tmp_path)
    yield made
    made.engine.dispose()


def ids(found):
    return [each.feedback_id.int for each in found]


def test_what_was_recorded_is_there_after_a_restart_and_once(waiting, tmp_path):
    waiting.record([said(1), said(2), said(2)], 100.0)
    waiting.record([said(1)], 200.0)
    again = opened(tmp_path)
    assert ids(again.due(100.0, 10)) == [1, 2]
    assert again.count() == 2
    again.engine.dispose()


def test_what_is_done_is_forgotten(waiting):
    waiting.record([said(1), said(2)], 100.0)
    waiting.settle([UUID(int=1)])
    assert ids(waiting.due(100.0, 10)) == [2]


@pytest.mark.parametrize(("age", "pause"), [(0.0, 1.0), (8.0, 8.0), (3000.0, 60.0)])
def test_what_has_waited_longer_is_looked_at_less_often(waiting, age, pause):
    waiting.record([said(1)], 100.0)
    waiting.postpone([UUID(int=1)], 100.0 + age)
    assert ids(waiting.due(100.0 + age + pause - 0.1, 10)) == []
    assert ids(waiting.due(100.0 + age + pause, 10)) == [1]


def test_what_has_waited_too_long_is_given_up(waiting):
    waiting.record([said(1)], 0.0)
    waiting.record([said(2)], 3000.0)
    assert waiting.give_up(3601.0) == 1
    assert ids(waiting.due(9999.0, 10)) == [2]


def test_the_oldest_is_given_up_where_there_is_too_much(tmp_path):
    waiting = opened(tmp_path, most_bytes=5000)
    for number in range(1, 5):
        waiting.record([said(number, "x" * 1000)], float(number))
    assert waiting.give_up(5.0) == 2
    assert ids(waiting.due(9999.0, 10)) == [3, 4]
    waiting.engine.dispose()
