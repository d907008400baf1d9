"""The engine is killed in mid-insert: what it acknowledged is there, once, and nothing of what it did not finish."""

import itertools
import threading

import pytest

from schemas.topics import SCORES
from services.shared.errors import Transient
from tests.support.engine import store, with_tables
from tests.support.messages import a_call, a_score_of

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
ROWS = 500
KILLS = 4


def test_what_was_acknowledged_survives_kill(tmp_path):
    numbers, acknowledged = itertools.count(), []
    with with_tables(tmp_path) as engine:
        for _ in range(KILLS):
            insert_until_killed(engine, numbers, acknowledged)
            engine.start()
        client = engine.client()
        counts = dict(client.query("SELECT value, count() FROM scores_rows GROUP BY value").result_rows)
        ranges = client.query("SELECT first_offset FROM ingest_ranges").result_rows
    assert set(acknowledged) <= {offset // ROWS for (offset,) in ranges} <= set(counts)
    assert set(counts.values()) == {ROWS}
    assert len(acknowledged) >= 5 * KILLS


def insert_until_killed(engine, numbers, acknowledged):
    """Two clients insert as the writer does; the kill comes while both do, a few batches later."""
    enough = threading.Event()
    before = len(acknowledged)

    def insert():
        client = engine.client()
        for number in numbers:
            scores = [a_score_of(a_call(), value=float(number)) for _ in range(ROWS)]
            try:
                store(client, SCORES, scores, first=number * ROWS)
            except Transient:
                return
            acknowledged.append(number)
            if len(acknowledged) - before >= 10:
                enough.set()

    clients = [threading.Thread(target=insert) for _ in range(2)]
    for each in clients:
        each.start()
    assert enough.wait(60)
    engine.kill()
    for each in clients:
        each.join()
