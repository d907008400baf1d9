"""What the engine takes of the machine does not grow with what passes through it."""

import time

import psutil
import pytest

from services.shared.clickhouse import client
from services.shared.settings import SharedSettings
from tests.support.engine import running

pytestmark = pytest.mark.embedded

PARTS = 130  # by itself, the engine removes a hundred with as many threads


@pytest.fixture
def engine(tmp_path):
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def ask(engine):
    return client(SharedSettings(), database="", url=engine.url).command


def test_what_merges_leave_is_removed_without_a_hundred_threads(engine, ask):
    ask("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS old_parts_lifetime = 1")
    ask("SYSTEM STOP MERGES t")
    for number in range(PARTS):
        ask(f"INSERT INTO t VALUES ({number})")
    ask("SYSTEM START MERGES t")
    ask("OPTIMIZE TABLE t FINAL")
    deadline = time.monotonic() + 60
    while int(ask("SELECT count() FROM system.parts WHERE table = 't'")) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ask("SELECT count() FROM t") == PARTS
    assert psutil.Process(engine.process.pid).num_threads() < 70
