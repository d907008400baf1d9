"""`tidemark rescore`: stored calls come back whole, and their scores stand beside the old ones."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from schemas.ids import uuid7
from schemas.messages import (
    Call,
    CallError,
    ChatMessage,
    Choice,
    Document,
    ExpectedFormat,
    Score,
    Tokens,
    ToolCall,
)
from schemas.topics import CALLS, SCORES
from services.embedded.stored_calls import StoredCalls
from services.shared.record import is_replayed
from tests.support.broker import declare, log_of
from tests.support.engine import store, with_tables

pytestmark = pytest.mark.embedded
BEGIN = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
PRICES = "{version: dear, prices: [{model: m, since: 2025-01-01, input: 5, output: 5}]}"


def a_call(number, **fields):
    given = {"tenant": "t", "app": "a" if number % 2 else "b", "environment": "e", "version": "1"}
    times = {"called_at": BEGIN + timedelta(seconds=number // 3), "duration_seconds": number / 10}
    return Call(call_id=uuid7(), **(given | times | fields))


class Told:
    """A client that keeps what each query was told."""

    def __init__(self, client):
        self._client, self.told = client, []

    def query(self, text, *, parameters, **options):
        self.told.append(dict(parameters))
        return self._client.query(text, parameters=parameters, **options)


FULL = a_call(
    1,
    prompt="Why? \U0001f600\n",
    messages=(ChatMessage(role="user", content="Why?"),),
    context=(Document(text="Because.", similarity=0.5),),
    choices=(Choice(text="x", log_probabilities=(-0.5,)),),
    tool_calls=(ToolCall(name="f", arguments="{}"),),
    tokens=Tokens(input=1_000_000, output=0, cached=3, reasoning=0),
    inter_token_seconds=(0.25, 0.5),
    log_probabilities=(-0.25,),
    error=CallError(kind="timeout", status=504),
    expected_format=ExpectedFormat(kind="json_schema", definition={"type": "object"}),
    parameters={"temperature": 0.5},
    groups={"plan": "free"},
    tags={"x": "y"},
    attributes={"gen_ai.x": [1, None]},
    answering_model="m",
    sequence=7,
    inclusion_probability=0.5,
)


@pytest.fixture
def engine(tmp_path):
    with with_tables(tmp_path / "engine") as found:
        yield found


CALLS_STORED = [FULL, *(a_call(number) for number in range(2, 52))]


@pytest.fixture
def rescore(kafka, engine, tmp_path):
    store(engine.client(), CALLS, CALLS_STORED)
    (tmp_path / "prices.yaml").write_text(PRICES)
    told = {
        "TIDEMARK_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TIDEMARK_KAFKA_PREFIX": kafka.prefix,
        "TIDEMARK_CLICKHOUSE_URL": engine.url,
        "TIDEMARK_DATA": str(tmp_path),
        "TIDEMARK_LATENCY_PRICES": str(tmp_path / "prices.yaml"),
    }

    def run(*arguments, metrics="cost_usd,duration_seconds"):
        asked = ("--from", BEGIN.isoformat(), "--metrics", metrics, "--json", *arguments)
        command = [sys.executable, "-c", "from cli.main import main; main()", "rescore", *asked]
        done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_stored_calls_come_back_whole(engine):
    store(engine.client(), CALLS, CALLS_STORED)
    stored = StoredCalls(engine.client(), BEGIN, BEGIN + timedelta(days=1))
    assert stored.count() == len(CALLS_STORED)
    found = [call for page in stored.pages(7) for call in page]
    assert {call.call_id: call for call in found} == {call.call_id: call for call in CALLS_STORED}
    assert len(found) == len(CALLS_STORED)


def test_calls_of_two_tenants_with_one_time_and_id_are_both_found_a_page_apart(engine):
    twice = [msgspec.structs.replace(FULL, tenant=tenant) for tenant in ("t", "u")]
    store(engine.client(), CALLS, twice)
    stored = StoredCalls(engine.client(), BEGIN, BEGIN + timedelta(days=1))
    assert [call.tenant for page in stored.pages(1) for call in page] == ["t", "u"]


def test_a_page_asks_for_what_is_left_of_one_day_alone(engine):
    days = [a_call(number, called_at=BEGIN + timedelta(days=number // 3)) for number in range(6)]
    store(engine.client(), CALLS, days)
    client = Told(engine.client())
    pages = StoredCalls(client, BEGIN, BEGIN + timedelta(days=400)).pages(2)
    assert [[call.called_at.day for call in page] for page in pages] == [[1, 1], [1], [2, 2], [2]]
    ranges = [(told["start"], told["stop"]) for told in client.told if "page" in told]
    first, second = ((BEGIN + timedelta(days=day)).timestamp() * 1e6 for day in range(2))
    midnight = BEGIN.replace(hour=0, microsecond=0).timestamp() * 1e6
    day = 86_400 * 1e6
    assert ranges[:2] == [(first, midnight + day)] * 2
    assert ranges[2:] == [(midnight + day, midnight + 2 * day), (second, midnight + 2 * day)]


async def test_scores_are_published_beside_the_old_ones_and_twice_they_are_the_same(kafka, rescore):
    await declare(kafka, SCORES)
    said = rescore("--app", "a")
    assert (said["calls"], said["scores"]) == (26, 52)
    log = await log_of(kafka, SCORES)
    assert all(is_replayed(message.headers) for message in log)
    scores = [Score.decode(message.value) for message in log]
    dear = said["evaluators"]["latency"]
    assert "dear" in dear
    assert {score.metric for score in scores if score.evaluator_version == dear} == {"cost_usd"}
    (cost,) = [score for score in scores if score.metric == "cost_usd" and score.status == "scored"]
    assert (cost.call_id, cost.value, cost.inclusion_probability) == (FULL.call_id, 5.0, 0.5)
    rescore("--app", "a")
    again = [Score.decode(message.value) for message in await log_of(kafka, SCORES)]
    assert len(again) == 2 * len(scores)
    assert {score.score_id for score in again} == {score.score_id for score in scores}


async def test_scores_go_to_a_file_instead(kafka, rescore, tmp_path):
    await declare(kafka, SCORES)
    assert rescore("--output", str(tmp_path / "scores"))["scores"] == 2 * len(CALLS_STORED)
    lines = [json.loads(line) for line in (tmp_path / "scores").read_text().splitlines()]
    assert {line["call_id"] for line in lines} == {str(call.call_id) for call in CALLS_STORED}
    assert await log_of(kafka, SCORES) == []


async def test_repeats_are_found_among_the_stored_calls_pages_apart(kafka, engine, rescore):
    await declare(kafka, SCORES)
    answers = {1_000: "In Paris, on the Seine.", 1_900: "In Rome, of course.", 2_200: "In Rome, of course."}
    asked = {number: a_call(number, prompt="Where?", response=said) for number, said in answers.items()}
    between = [a_call(number, prompt=f"What is {number}?", response="A number.") for number in range(1_001, 1_801)]
    store(engine.client(), CALLS, [*asked.values(), *between])
    said = rescore(metrics="non_determinism")
    assert said["calls"] == said["scores"] == len(CALLS_STORED) + len(asked) + len(between)
    found = {score.call_id: score for score in map(Score.decode, [each.value for each in await log_of(kafka, SCORES)])}
    first, changed, same = (found[call.call_id] for call in asked.values())
    assert (first.status, first.reason) == ("not_scored", "earlier_answer")
    assert changed.value > 0.5
    assert changed.evidence[0].kind == f"differs_from:{first.call_id}"
    assert (same.status, same.value) == ("scored", 0.0)
    rescore(metrics="non_determinism")
    again = [Score.decode(each.value).score_id for each in await log_of(kafka, SCORES)]
    assert set(again) == {score.score_id for score in found.values()}
