"""The engine is killed in mid-insert: what it acknowledged is there, once, and nothing of what it did not finish."""

import itertools
import threading

import clickhouse_connect
import httpx
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import Error
from urllib3.exceptions import HTTPError

from tests.support.engine import Engine

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
ROWS = 500
KILLS = 4


def test_what_was_acknowledged_survives_kill(tmp_path):
    engine = Engine(tmp_path)
    engine.start()
    httpx.post(engine.url, content="CREATE TABLE t (batch UInt64, row UInt64) ENGINE = MergeTree ORDER BY batch")
    numbers, acknowledged = itertools.count(), []
    try:
        for _ in range(KILLS):
            insert_until_killed(engine, numbers, acknowledged)
            engine.start()
        stored = httpx.post(engine.url, content="SELECT batch, count() FROM t GROUP BY batch ORDER BY batch").text
    finally:
        engine.stop()
    counts = {int(batch): int(rows) for batch, rows in (line.split("\t") for line in stored.splitlines())}
    assert set(acknowledged) <= set(counts)
    assert set(counts.values()) == {ROWS}
    assert len(acknowledged) >= 5 * KILLS


def insert_until_killed(engine, numbers, acknowledged):
    """Two clients insert; the kill comes while both do, a few batches later."""
    enough = threading.Event()
    before = len(acknowledged)

    def insert():
        client = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)
        for number in numbers:
            rows = {"batch": pa.array([number] * ROWS, pa.uint64()), "row": pa.array(range(ROWS), pa.uint64())}
            try:
                client.insert_arrow("t", pa.table(rows))
            except (Error, HTTPError, OSError):
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
