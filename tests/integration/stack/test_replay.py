"""`tidemark replay` on a running stack: the same rows, the same scores, and new ones beside the old."""

import json
import time
from datetime import UTC, datetime

import pytest

from schemas.messages import Score
from schemas.topics import SCORES
from services.latency.latency import METRICS as LATENCY_METRICS
from services.shared.kafka import Kafka
from services.shared.record import is_replayed
from services.toxicity.toxicity import METRICS as TOXICITY_METRICS
from tests.integration.stack.test_stack import calls
from tests.support.broker import log_of
from tests.support.stack import LIGHT, Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]

EACH, LATENCY, TOXICITY = 30, len(LATENCY_METRICS), len(TOXICITY_METRICS)
STORED = "SELECT count() FROM scores"
ROWS = "SELECT sum(cityHash64(toJSONString(tuple(*)))) FROM scores"
AGGREGATES = """SELECT sum(cityHash64(metric, evaluator_version, n, rounded, p50, p95)) FROM (
    SELECT metric, evaluator_version, count() AS n, round(sum(value), 6) AS rounded,
        quantileExact(0.5)(value) AS p50, quantileExact(0.95)(value) AS p95
    FROM scores GROUP BY metric, evaluator_version)"""
OTHER_PRICES = """version: other
prices: []
"""


@pytest.fixture(scope="module")
def between():
    """A moment between the first calls and the second."""
    return {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory, between):
    made = Stack(tmp_path_factory.mktemp("replay") / "data", services=(*LIGHT, "toxicity"))
    made.up()
    made.post(calls(EACH))
    made.until("SELECT count() FROM calls", EACH)
    between["moment"] = datetime.now(UTC).isoformat()
    time.sleep(0.5)  # the broker's clock ticks in milliseconds, and both posts must not share one
    made.post(calls(EACH))
    made.until(STORED, 2 * EACH * (LATENCY + TOXICITY))
    yield made
    made.tidemark("down")


def replay(stack, *arguments):
    done = stack.tidemark("replay", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def state(stack):
    return [stack.ask(query) for query in (STORED, ROWS, AGGREGATES)]


async def scores(stack):
    """The scores on the topic: those of the running services, and those of replays."""
    found = {False: {}, True: {}}
    for record in await log_of(Kafka(f"127.0.0.1:{stack.ports.broker}"), SCORES):
        score = Score.decode(record.value)
        found[is_replayed(record.headers)][score.score_id] = score
    return found[False], found[True]


def test_replaying_scores_into_the_store_changes_no_row_and_no_aggregate(stack):
    before = state(stack)
    done, said = replay(stack, "scores.v1", "--from", "0", "--service", "writer")
    assert (done["complete"], done["messages"]) == (True, before[0])
    assert f"writer reads scores.v1 again: {before[0]} of {before[0]} messages" in said
    assert state(stack) == before


async def test_scoring_again_gives_the_same_ids_and_values(stack):
    before = state(stack)
    for service in ("latency", "toxicity"):
        done, _ = replay(stack, "calls.v1", "--from", "0", "--service", service)
        assert (done["complete"], done["messages"]) == (True, 2 * EACH)
    live, again = await scores(stack)
    assert again.keys() == live.keys()
    for score_id, score in again.items():
        assert score.status == live[score_id].status
        assert score.value == pytest.approx(live[score_id].value, abs=1e-3)
    assert state(stack)[0] == before[0]


def test_other_settings_put_scores_of_another_version_beside_the_old_ones_up_to_a_moment(stack, between, tmp_path):
    (tmp_path / "prices.yaml").write_text(OTHER_PRICES)
    before, other = state(stack)[0], "SELECT count() FROM scores WHERE evaluator_version = '4-prices.other'"
    wanted = ["calls.v1", "--from", "0", "--to", between["moment"], "--service", "latency"]
    done, _ = replay(stack, *wanted, "--set", f"TIDEMARK_LATENCY_PRICES={tmp_path / 'prices.yaml'}")
    assert (done["complete"], done["messages"]) == (True, EACH)
    stack.until(other, EACH)  # the cost alone depends on prices
    assert stack.ask(STORED) == before + EACH


def test_from_a_moment_only_what_came_later_is_read_again(stack, between):
    done, _ = replay(stack, "calls.v1", "--from", between["moment"], "--service", "latency")
    assert done["messages"] == EACH
    nothing, _ = replay(stack, "calls.v1", "--from", "2999-01-01", "--service", "latency")
    assert (nothing["complete"], nothing["messages"]) == (True, 0)


def test_a_replay_that_cannot_start_says_where_to_look(stack, tmp_path):
    done = stack.tidemark(
        "replay", "calls.v1", "--from", "0", "--service", "latency", "--set", f"TIDEMARK_LATENCY_PRICES={tmp_path}/none"
    )
    assert done.returncode == 1
    assert "replay-latency.log" in done.stderr
