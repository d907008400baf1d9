"""Kill -9 of every process, in the middle of traffic: it comes back by itself and nothing is lost."""

import os
import signal
import sys
import time
from contextlib import suppress

import pytest

from services.embedded.services import NAMES
from tests.support.stack import Stack
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.embedded, pytest.mark.alone, pytest.mark.slow]
SCORERS = ("latency", "toxicity", "hallucination")
EVERYBODY = (*NAMES, "clickhouse", "broker")
LIGHT = ("registry", "gateway", "writer", "latency", "windower")
A_FEW = ("writer", "gateway", "clickhouse", "latency", "broker")
FLOWING = 40  # calls stored after a recovery before the next fault: it is one that happens in the middle of traffic


def described(stack):
    """Part by part; empty while the supervisor does not answer."""
    with suppress(ValueError):
        return {part["name"]: part for part in stack.status()["parts"]}
    return {}


def killed(stack, name):
    """Kill a part and wait until another process of that name is ready, and every other part; seconds."""
    before = described(stack)[name]["pid"]
    began = time.monotonic()
    os.kill(before, signal.SIGKILL)
    while True:
        now = described(stack)
        if now and now[name]["pid"] not in (None, before) and all(part["ready"] for part in now.values()):
            return time.monotonic() - began
        time.sleep(0.2)


def until_stored(stack, traffic, more):
    """Wait until `more` calls than were emitted by now are stored."""
    stack.until_at_least("SELECT count() FROM calls", traffic.emitted + more)


def assert_scored(stack, evaluators, calls):
    """Every call was scored by each evaluator, and each score is there once."""
    for name in evaluators:
        stack.until(f"SELECT uniqExact(call_id) FROM scores WHERE evaluator = '{name}'", calls)
    assert stack.ask("SELECT count() - uniqExact(score_id) FROM scores") == 0


def survive(stack, victims, report):
    with Traffic(stack) as traffic:
        until_stored(stack, traffic, FLOWING)
        for name in victims:
            report(name, killed(stack, name))
            until_stored(stack, traffic, FLOWING)
        traffic.stop()
        return traffic.accounted()


@pytest.fixture
def report(record_property):
    """Say how long a recovery took."""

    def told(name, seconds):
        record_property(f"recovery_seconds_{name}", round(seconds, 1))
        sys.stdout.write(f"{name} came back in {seconds:.1f} s\n")

    return told


@pytest.mark.timeout(900)
def test_a_few_kills_lose_nothing(tmp_path, report):
    stack = Stack(tmp_path / "data", LIGHT)
    try:
        stack.up()
        counts = survive(stack, A_FEW, report)
        assert_scored(stack, ["latency"], counts["stored"])
    finally:
        stack.tidemark("down")


@pytest.mark.faults
@pytest.mark.timeout(1500)
def test_whoever_is_killed_nothing_is_lost(tmp_path, report, long):
    if not long:
        pytest.skip("every service, models too, takes ten minutes: make faults LONG=1 FAULT=kills")
    stack = Stack(tmp_path / "data", NAMES)
    try:
        stack.up()
        counts = survive(stack, EVERYBODY, report)
        assert_scored(stack, SCORERS, counts["stored"])
        stack.until("SELECT uniqExact(call_id) FROM embeddings", counts["stored"])
    finally:
        stack.tidemark("down")
