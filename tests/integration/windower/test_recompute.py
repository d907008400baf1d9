"""`tidemark recompute`, as an analyst runs it: what came when its window was closed is in the window afterwards."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from schemas.ids import score_id
from schemas.messages import Score, Segment, Window
from schemas.topics import SCORES, WINDOWS
from services.shared.record import is_replayed
from services.writer.completeness.check import Check, windows
from tests.support.broker import declare, log_of
from tests.support.engine import store, with_tables

pytestmark = pytest.mark.embedded
HOUR_AGO = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
SEGMENT = Segment(tenant="acme", app="support", environment="production", version="v7")


def a_score(number):
    call_id = UUID(int=number)
    return Score(
        score_id=score_id(call_id, "duration_seconds", "latency", "1"),
        call_id=call_id,
        segment=SEGMENT,
        called_at=HOUR_AGO + timedelta(seconds=number % 120),
        metric="duration_seconds",
        status="scored",
        value=number / 10,
        evaluator="latency",
        evaluator_version="1",
        groups={"plan": "free" if number % 2 else "paid"},
    )


@pytest.fixture
def engine(tmp_path):
    with with_tables(tmp_path / "engine") as found:
        yield found


def recompute(kafka, engine, tmp_path, *arguments):
    told = {
        "TIDEMARK_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TIDEMARK_KAFKA_PREFIX": kafka.prefix,
        "TIDEMARK_CLICKHOUSE_URL": engine.url,
        "TIDEMARK_DATA": str(tmp_path),
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", "recompute", *arguments]
    return subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False, timeout=120)


async def test_late_scores_enter_their_windows_once(kafka, engine, tmp_path):
    await declare(kafka, SCORES, WINDOWS)
    client = engine.client()
    store(client, SCORES, [a_score(number) for number in range(1, 601)])
    asked = ("--from", HOUR_AGO.isoformat(), "--json")

    first = recompute(kafka, engine, tmp_path, *asked, "--interval", "60")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {"scores": 600, "same": 0, "mended": 6, "kept": 0}
    log = await log_of(kafka, WINDOWS)
    assert all(is_replayed(message.headers) for message in log)
    store(client, WINDOWS, [Window.decode(message.value) for message in log])

    store(client, SCORES, [a_score(number) for number in range(601, 721) if number % 120 < 60])
    second = recompute(kafka, engine, tmp_path, *asked)
    assert json.loads(second.stdout) == {"scores": 660, "same": 3, "mended": 3, "kept": 0}
    windows = [Window.decode(message.value) for message in (await log_of(kafka, WINDOWS))[len(log) :]]
    assert sorted((window.group, window.generation, window.count) for window in windows) == [
        ("", 1, 360),
        ("plan=free", 1, 180),
        ("plan=paid", 1, 180),
    ]
    store(client, WINDOWS, windows)
    found = client.query("SELECT sum(count), max(generation) FROM windows WHERE group = ''").result_rows
    assert found == [(660, 1)]

    third = recompute(kafka, engine, tmp_path, *asked)
    assert json.loads(third.stdout) == {"scores": 660, "same": 6, "mended": 0, "kept": 0}


def untested_drift():
    """What drift says of five minutes with too few calls."""
    return Window(
        window_id=UUID(int=1),
        segment=SEGMENT,
        metric="embedding_drift.prompt",
        evaluator="mmd",
        evaluator_version="1",
        interval_seconds=300,
        window_start=HOUR_AGO,
        window_end=HOUR_AGO + timedelta(seconds=300),
        source_partition=0,
        not_scored=7,
    )


async def test_windows_of_drift_and_of_what_is_missing_are_no_length_for_scores(kafka, engine, tmp_path):
    await declare(kafka, SCORES, WINDOWS)
    client = engine.client()
    store(client, SCORES, [a_score(number) for number in range(1, 121)])
    asked = ("--from", HOUR_AGO.isoformat(), "--json")
    made = recompute(kafka, engine, tmp_path, *asked, "--interval", "60")
    assert json.loads(made.stdout)["mended"] == 6
    store(client, WINDOWS, [Window.decode(message.value) for message in await log_of(kafka, WINDOWS)])
    checked = Check(
        HOUR_AGO + timedelta(seconds=30), "run", 60.0, 10.0, covered=0, waiting=0, dead_letters=0, refused=0
    )
    store(client, WINDOWS, [*windows(checked, 10), untested_drift()])
    again = recompute(kafka, engine, tmp_path, *asked)
    assert json.loads(again.stdout) == {"scores": 120, "same": 6, "mended": 0, "kept": 0}


async def test_what_cannot_be_done_is_said_with_its_remedy(kafka, engine, tmp_path):
    await declare(kafka, SCORES, WINDOWS)
    refused = recompute(kafka, engine, tmp_path, "--from", datetime.now(UTC).isoformat())
    assert refused.returncode == 2
    assert "choose an earlier --from" in refused.stderr
    refused = recompute(kafka, engine, tmp_path, "--from", "yesterday")
    assert refused.returncode == 2
    assert "2026-01-31T10:00:00Z" in refused.stderr
