"""Calls of a megabyte, and more of them than are let in: from the client to the store."""

import json
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
from tidemark import Client

from schemas.ids import uuid7
from schemas.messages import Score
from schemas.topics import CALLS, SCORES
from services.shared.kafka import Kafka
from services.shared.object_store import Folder
from services.shared.payloads import Reference, apart, place
from services.shared.record import is_replayed
from services.toxicity.toxicity import METRICS
from tests.support.broker import log_of, put
from tests.support.messages import a_call
from tests.support.stack import LIGHT, Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(600)]

INSULT = "You are a worthless idiot and everybody hates you."
PRESSURE = {"TIDEMARK_GATEWAY_RATE_PER_SECOND": 300, "TIDEMARK_GATEWAY_BURST_CALLS": 300}
PRESSURE |= {"TIDEMARK_GATEWAY_BATCH_CALLS": 300, "TIDEMARK_GATEWAY_IN_FLIGHT_REQUESTS": 2}
SCORED = "SELECT sum(cityHash64(score_id, status, round(value, 3))) FROM scores WHERE status = 'scored'"
CALM = "The harbour office prints the tables of the tide every spring, as it has done for a long time."


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("large"), services=(*LIGHT, "toxicity"), **PRESSURE)
    stack.up()
    yield stack
    stack.down()


def a_large_call():
    sentences = [f"{CALM} Page {number} says so." for number in range(50)]
    response = " ".join([*sentences[:40], INSULT, *sentences[40:]])
    call = {
        "call_id": str(uuid7()),
        "app": "harbour",
        "environment": "test",
        "version": "v1",
        "called_at": datetime.now(UTC).isoformat(),
        "prompt": "What do the tables say?",
        "context": [{"text": f"{number} {CALM} " * 1000} for number in range(10)],
        "response": response,
    }
    return call, response.index(INSULT)


def test_a_megabyte_is_scored_whole_and_stored_by_reference(stack):
    call, start = a_large_call()
    stack.post([call])
    of_it = f"call_id = '{call['call_id']}'"
    stack.until(f"SELECT count() FROM scores WHERE {of_it} AND metric = 'response_toxicity' AND label", 1)
    evidence = f"FROM scores WHERE {of_it} AND metric = 'response_toxicity'"
    found = stack.ask(f"SELECT evidence[1].start {evidence}"), stack.ask(f"SELECT evidence[1].end {evidence}")
    assert start > 2000
    assert call["response"][slice(*found)].strip() == INSULT
    stack.until(f"SELECT count() FROM calls WHERE {of_it} AND startsWith(payload_reference, 'sha256:')", 1)
    assert stack.ask(f"SELECT lengthUTF8(response) FROM calls WHERE {of_it}") == 2000
    assert stack.ask(f"SELECT length(context) FROM calls WHERE {of_it}") < 10
    (payload,) = [path for path in (stack.data / "payloads").rglob("*") if path.is_file()]
    assert payload.stat().st_size > 900_000


def test_a_call_by_reference_is_scored_as_one_that_came_whole(stack):
    large, _ = a_large_call()
    small = {**large, "call_id": str(uuid7()), "context": []}
    stack.post([large, small])
    ids = f"call_id IN ('{large['call_id']}', '{small['call_id']}')"
    stack.until(f"SELECT count() FROM calls WHERE {ids}", 2)
    scored = f"SELECT count() FROM scores WHERE {ids} AND evaluator = 'toxicity' AND status = 'scored'"
    stack.until(scored, 2 * len(METRICS))
    assert stack.ask(f"SELECT count() FROM calls WHERE {ids} AND payload_reference IS NULL") == 1
    alike = f"SELECT count(), max(value) - min(value) AS off FROM scores WHERE {ids} AND evaluator = 'toxicity'"
    assert stack.ask(f"SELECT count() FROM ({alike} GROUP BY metric) WHERE off < 0.001") == len(METRICS)


async def test_a_call_whose_payload_is_gone_or_another_is_a_failed_score_and_a_dead_letter(stack):
    called_at = datetime.now(UTC) - timedelta(minutes=2)
    gone, _ = apart(a_call(tenant="local", called_at=called_at, prompt="gone " * 9000))
    damaged, data = apart(a_call(tenant="local", called_at=called_at, prompt="damaged " * 9000))
    store = Folder(stack.data / "payloads")
    store.put(place(damaged, Reference.of(data).digest), data.replace(b"damaged", b"managed", 1))
    await put(Kafka(f"127.0.0.1:{stack.ports.broker}"), CALLS, [gone.encode(), damaged.encode()])
    for call, error in ((gone, "PayloadMissing"), (damaged, "PayloadDamaged")):
        of_it = f"call_id = '{call.call_id}'"
        failed = f"SELECT count() FROM scores WHERE {of_it} AND status = 'failed' AND reason = '{error}'"
        stack.until(failed, len(METRICS))
        letters = f"SELECT count() FROM dead_letters WHERE {of_it} AND service = 'toxicity' AND error = '{error}'"
        stack.until(letters, 1)
        stack.until(f"SELECT count() FROM calls WHERE {of_it}", 1)


async def test_a_replay_reads_payloads_back_and_changes_no_score(stack):
    before = stack.ask(SCORED)
    done = stack.tidemark("replay", "calls.v1", "--from", "0", "--service", "toxicity", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"]
    found = {False: {}, True: {}}
    for record in await log_of(Kafka(f"127.0.0.1:{stack.ports.broker}"), SCORES):
        score = Score.decode(record.value)
        found[is_replayed(record.headers)][score.score_id] = (score.status, score.reason, round(score.value or 0, 3))
    assert found[True] == {score_id: said for score_id, said in found[False].items() if score_id in found[True]}
    assert sum(status == "scored" for status, _, _ in found[True].values()) == 3 * len(METRICS)
    assert stack.ask(SCORED) == before


def test_a_burst_of_small_and_large_calls_is_refused_and_loses_nothing(stack, tmp_path):
    api_key = (stack.data / "api-key").read_text().strip()
    address = f"http://127.0.0.1:{stack.ports.base}"
    options = {"api_key": api_key, "version": "v1", "longest_backoff_seconds": 0.5, "largest_call_bytes": 4_000_000}
    options |= {"longest_text": 2_000_000, "queue_calls": 2000}
    clients = [
        Client(url=address, **options, ledger=tmp_path / f"ledger-{n}", spool=tmp_path / f"spool-{n}") for n in range(3)
    ]
    for number in range(400):
        for client in clients:
            client.emit(system_prompt=CALM * (4000 if number % 100 == 0 else 1), duration_seconds=1.0)
    for client in clients:
        while not client.flush(5) or client.stats().spooled:
            continue
        client.close()
        assert (client.stats().dropped, client.stats().rejected) == (0, 0)
    acknowledged = "".join((tmp_path / f"ledger-{n}").read_text() for n in range(3))
    (tmp_path / "ledger").write_text(acknowledged)
    assert len(set(acknowledged.split())) == 1200
    spools = [f"--spool={tmp_path}/spool-{n}" for n in range(3)]
    done = stack.tidemark("verify", "--ledger", str(tmp_path / "ledger"), *spools, "--wait", "120", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["stored"] == 1200
    with urlopen(f"{address}/metrics", timeout=30) as answer:
        assert 'tidemark_gateway_refused_total{reason="too_many"}' in answer.read().decode()
    of_them = "payload_reference IS NOT NULL AND lengthUTF8(system_prompt) = 2000"
    assert stack.ask(f"SELECT count() FROM calls WHERE {of_them}") == 12
