"""What the engine does by itself, and what of it ours does not: an upgrade that changes either is seen here."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from services.shared.clickhouse import client
from services.shared.settings import SharedSettings
from tests.support.engine import Engine, running

pytestmark = pytest.mark.embedded

# The engine in a process of its own, since it takes one directory a process: statements in, answers or codes out.
ALONE = """
import json, re, sys
import chdb
connections = {}
for path, statement in json.load(sys.stdin):
    try:
        connection = connections.setdefault(path, None) or chdb.connect(path)
        connections[path] = connection
        print(json.dumps(str(connection.query(statement, "TSV")).strip()))
    except RuntimeError as error:
        print(json.dumps("Code " + (re.findall(r"Code: (\\d+)", str(error)) or ["?"])[0]))
"""


def engine_alone(folder: Path, *statements: str, paths: Sequence[str] = ()) -> list[str]:
    """The answers of chdb itself, without our settings."""
    asked = list(zip(paths or ["store"] * len(statements), statements, strict=True))
    ran = subprocess.run(
        [sys.executable, "-c", ALONE], input=json.dumps(asked), capture_output=True, text=True, cwd=folder, check=True
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def engine(tmp_path_factory, temporary):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TMPDIR", str(temporary))
        started = Engine(tmp_path_factory.mktemp("engine"))
        started.start()
    yield started
    started.stop()


@pytest.fixture
def ours(engine):
    return client(SharedSettings(), database="", url=engine.url)


DEDUPLICATED = (
    "CREATE OR REPLACE TABLE t (k UInt64) ENGINE = MergeTree ORDER BY k "
    "SETTINGS non_replicated_deduplication_window = 100"
)
TWICE = "INSERT INTO t SETTINGS insert_deduplication_token = 'x', async_insert = 0 VALUES "


def test_by_default_a_repeated_token_stores_nothing_and_says_nothing(tmp_path):
    """Not even the old setting keeps it from that."""
    off = TWICE.replace("async_insert", "insert_deduplicate = 0, async_insert")
    answers = engine_alone(tmp_path, DEDUPLICATED, TWICE + "(1)", TWICE + "(2)", off + "(3)", "SELECT k FROM t")
    assert answers == ["", "", "", "", "1"]


def test_by_default_inserts_are_asynchronous_and_deduplicated(tmp_path):
    (found,) = engine_alone(
        tmp_path,
        "SELECT value FROM system.settings WHERE name IN ('async_insert', 'deduplicate_insert') ORDER BY name",
    )
    assert found.split() == ["1", "enable"]


def test_through_our_client_what_is_inserted_is_stored_however_often_it_comes(ours):
    ours.command(DEDUPLICATED)
    for _ in range(2):
        ours.insert_arrow(
            "t", pa.table({"k": pa.array([1], pa.uint64())}), settings={"insert_deduplication_token": "x"}
        )
    assert ours.query("SELECT count() FROM t").result_rows == [(2,)]
    names = "'async_insert', 'deduplicate_insert', 'insert_deduplicate'"
    set_to = ours.query(f"SELECT name, value FROM system.settings WHERE name IN ({names}) ORDER BY name").result_rows
    assert set_to == [("async_insert", "0"), ("deduplicate_insert", "disable"), ("insert_deduplicate", "0")]


def test_our_client_may_ask_where_no_setting_can_be_changed(engine):
    assert client(SharedSettings(), database="", url=engine.read_only_url).query("SELECT 1").result_rows == [(1,)]


def test_a_sum_over_what_may_come_twice_counts_it_twice(tmp_path):
    answers = engine_alone(
        tmp_path,
        "CREATE TABLE t (k UInt64) ENGINE = ReplacingMergeTree ORDER BY k",
        "CREATE MATERIALIZED VIEW m ENGINE = SummingMergeTree ORDER BY k AS SELECT k, count() AS n FROM t GROUP BY k",
        *["INSERT INTO t SETTINGS async_insert = 0 VALUES (1)"] * 2,
        "SELECT (SELECT count() FROM t FINAL), (SELECT sum(n) FROM m)",
    )
    assert answers[-1].split() == ["1", "2"]


def test_only_the_strictest_read_only_mode_keeps_files_of_the_machine_from_queries(tmp_path):
    """Our read-only port has that one: `test_the_read_only_port_only_reads`."""
    (tmp_path / "secret").write_text("s")
    read = "SELECT count() FROM file('" + str(tmp_path / "secret") + "', 'LineAsString')"
    assert engine_alone(tmp_path, "SET readonly = 2", read) == ["", "1"]
    assert engine_alone(tmp_path, "SET readonly = 1", read) == ["", "Code 164"]


def test_a_process_has_one_directory_and_a_directory_one_process(engine, tmp_path):
    assert engine_alone(tmp_path, "SELECT 1", "SELECT 1", paths=["a", "b"]) == ["1", "Code 36"]
    assert engine_alone(tmp_path, "SELECT 1", paths=[str(next(engine.data.rglob("store")))]) == ["Code 36"]


def test_the_engine_alone_takes_every_file_for_a_table(tmp_path):
    """Ours has no right to: `test_outside.py`."""
    (tmp_path / "secret.txt").write_text("s")
    answers = engine_alone(
        tmp_path, "SELECT engine FROM system.databases WHERE name = 'default'", f"SELECT * FROM `{tmp_path}/secret.txt`"
    )
    assert answers == ["Overlay", "s"]


def test_a_directory_of_the_engine_alone_is_taken_over_and_survives_restarts(tmp_path):
    store = tmp_path / "clickhouse"
    store.mkdir()
    engine_alone(
        store,
        "CREATE DATABASE tidemark",
        "CREATE TABLE tidemark.t (k UInt64) ENGINE = MergeTree ORDER BY k",
        "INSERT INTO tidemark.t SETTINGS async_insert = 0 VALUES (1)",
    )
    for starts in range(1, 3):
        with running(tmp_path) as engine:
            asked = engine.client("default")
            asked.command("CREATE TABLE IF NOT EXISTS u (k UInt64) ENGINE = MergeTree ORDER BY k")
            asked.insert("u", [[starts]], column_names=["k"])
            assert asked.query("SELECT count(), (SELECT k FROM tidemark.t) FROM u").result_rows == [(starts, 1)]


@pytest.mark.parametrize("statement", ["CREATE USER u", "CREATE ROLE r", "CREATE ROW POLICY p ON t USING 1 TO ALL"])
def test_it_has_no_users_roles_or_row_policies(tmp_path, statement):
    assert engine_alone(tmp_path, "CREATE TABLE t (k UInt64) ENGINE = Memory", statement)[-1] == "Code 497"


def test_no_payload_lies_in_a_temporary_file(engine, ours, temporary):
    """clickhouse-connect's own chdb client writes each insert there, in the clear."""
    ours.command("CREATE OR REPLACE TABLE p (text String) ENGINE = MergeTree ORDER BY text")
    rows, seen, done = pa.table({"text": ["secret" * 500] * 10_000}), set(), threading.Event()

    def look():
        while not done.is_set():
            seen.update(path.name for path in temporary.rglob("*"))

    looking = threading.Thread(target=look)
    looking.start()
    ours.insert_arrow("p", rows)
    done.set()
    looking.join()
    assert ours.query("SELECT count() FROM p").result_rows == [(10_000,)]
    assert seen == set()
