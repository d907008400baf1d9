"""A call of a megabyte, from the gateway to its score in the store."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.ids import uuid7
from schemas.messages import Call
from schemas.topics import CALLS
from services.shared.kafka import Kafka
from tests.support.broker import put
from tests.support.messages import a_call
from tests.support.stack import LIGHT, Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(600)]

INSULT = "You are a worthless idiot and everybody hates you."
CALM = "The harbour office prints the tables of the tide every spring, as it has done for a long time."


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("large"), services=(*LIGHT, "toxicity"))
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
    assert stack.ask(f"SELECT count() FROM calls WHERE {of_it} AND startsWith(payload_reference, 'sha256:')") == 1
    assert stack.ask(f"SELECT lengthUTF8(response) FROM calls WHERE {of_it}") == 2000
    assert stack.ask(f"SELECT length(context) FROM calls WHERE {of_it}") < 10
    (payload,) = [path for path in (stack.data / "payloads").rglob("*") if path.is_file()]
    assert payload.stat().st_size > 900_000


async def test_a_call_whose_payload_is_gone_is_a_failed_score_and_a_dead_letter(stack):
    lost: Call = a_call(
        tenant="local",
        called_at=datetime.now(UTC) - timedelta(minutes=2),
        payload_reference="sha256:" + "0" * 64 + ":300000",
    )
    await put(Kafka(f"127.0.0.1:{stack.ports.broker}"), CALLS, [lost.encode()])
    of_it = f"call_id = '{lost.call_id}'"
    failed = f"SELECT count() FROM scores WHERE {of_it} AND status = 'failed' AND reason = 'PayloadMissing'"
    stack.until(failed, 2)
    letters = f"SELECT count() FROM dead_letters WHERE {of_it} AND service = 'toxicity' AND error = 'PayloadMissing'"
    stack.until(letters, 1)
    assert stack.ask(f"SELECT count() FROM calls WHERE {of_it}") == 1
