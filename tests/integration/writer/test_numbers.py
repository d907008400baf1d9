"""Which numbers of which clients are judged."""

from datetime import UTC, datetime, timedelta

import clickhouse_connect
import pytest

from schemas import clickhouse
from schemas.ids import uuid7
from services.writer.completeness.records import Records
from services.writer.store import table_of
from services.writer.writer import CALLS
from tests.support.engine import running
from tests.support.messages import a_call

pytestmark = pytest.mark.embedded
NOW = datetime.now(UTC)
SINCE = NOW - timedelta(days=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with running(tmp_path_factory.mktemp("engine")) as engine:
        where = {"host": "127.0.0.1", "port": engine.ports.clickhouse}
        clickhouse.apply(clickhouse_connect.get_client(**where), clickhouse.Names())
        yield clickhouse_connect.get_client(**where, database="tidemark")


@pytest.fixture
def holes_of(store):
    def found(instance, called):
        """The holes of a client that called at these minutes after the beginning, by number."""
        calls = [
            a_call(called_at=SINCE + timedelta(minutes=minutes), client_instance=instance, sequence=number)
            for number, minutes in called.items()
        ]
        store.insert_arrow(CALLS.rows, table_of(CALLS, calls))
        holes = Records(lambda: store).holes(SINCE)
        return [(hole.first, hole.last) for hole in holes if hole.place == f"t|{instance}"]

    return found


@pytest.mark.parametrize(
    ("called", "holes"),
    [
        ({100: -10, 101: 5, 102: -1, 103: 50, 104: 90, 106: 90}, [(105, 105)]),  # 102 took long
        ({100: -10, 102: 5, 103: 70}, []),  # before the first hour was over
        ({7: 70, 8: 80, 9: 75}, []),  # older than what is looked at: it may have begun anywhere
        ({7: 70, 10: 80}, [(8, 9)]),
    ],
)
def test_a_client_that_is_older_is_judged_from_the_end_of_the_first_hour_on(holes_of, called, holes):
    assert holes_of(f"worker-{sorted(called.items())}"[:200], called) == holes


def test_a_client_that_began_lately_is_judged_from_0_on(holes_of):
    now_minutes = int(timedelta(days=3) / timedelta(minutes=1))
    assert holes_of(str(uuid7()), {2: now_minutes, 3: now_minutes}) == [(0, 1)]
    assert holes_of(str(uuid7()), dict.fromkeys(range(5), now_minutes)) == []


def test_what_was_called_long_ago_and_sent_lately_is_there(holes_of):
    now_minutes = int(timedelta(days=3) / timedelta(minutes=1))
    assert holes_of(str(uuid7()), {0: -9000, 1: -8000, 2: now_minutes}) == []
