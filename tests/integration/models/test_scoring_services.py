"""The scoring services as processes, on a real broker, with the real model."""

import numpy as np
import pytest

from schemas.messages import CallError, Document, Embedding, Score, Tokens
from schemas.topics import ANSWERS, CALLS, EMBEDDINGS, FEEDBACK, SCORES, dead_letters
from tests.support.broker import declare, eventually, log_of, put
from tests.support.messages import a_call
from tests.support.models import MODELS, an_encoder
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded

METRICS = {"latency": 14, "toxicity": 13, "hallucination": 4, "guard": 9, "quality": 23}
CONTEXT = "Thread.join() waits until the thread terminates. A thread can be joined many times."


def calls(count):
    return [
        a_call(
            prompt=f"Question {number}: what does join do?",
            response="It waits until the thread terminates." if number % 2 else "Figure it out yourself, you idiot.",
            context=(Document(text=CONTEXT),),
            tokens=Tokens(input=20, output=10),
            duration_seconds=0.5,
            error=CallError(kind="timeout") if number % 10 == 0 else None,
        )
        for number in range(count)
    ]


@pytest.fixture
def started(kafka, prefix, tmp_path):
    """Starts a service on the test's topics; ends it afterwards."""
    an_encoder()
    services = []

    def start(name):
        service = ServiceProcess(
            name,
            tmp_path,
            TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
            TIDEMARK_KAFKA_PREFIX=prefix,
            TIDEMARK_MODELS=str(MODELS),
            TIDEMARK_DATA=str(tmp_path),
        )
        services.append(service)
        service.start()
        service.ready()
        return service

    yield start
    for service in services:
        service.kill()


@pytest.mark.parametrize("name", sorted(METRICS))
async def test_every_call_gets_every_score_and_the_service_stops_cleanly(kafka, started, name):
    await declare(kafka, CALLS, FEEDBACK, ANSWERS, SCORES, dead_letters(name), dead_letters("repeats"))
    given = calls(60)
    await put(kafka, CALLS, [*(call.encode() for call in given), b"no call"])
    service = started(name)

    async def all_scored():
        return len(await log_of(kafka, SCORES)) == len(given) * METRICS[name]

    await eventually(all_scored)
    scores = [Score.decode(each.value) for each in await log_of(kafka, SCORES)]
    assert {score.call_id for score in scores} == {call.call_id for call in given}
    assert not [score for score in scores if score.status == "failed"]
    assert service.stop() == 0


async def test_prompts_and_responses_are_embedded(kafka, started):
    await declare(kafka, CALLS, FEEDBACK, EMBEDDINGS, dead_letters("embedder"))
    given = calls(40)
    await put(kafka, CALLS, [call.encode() for call in given])
    started("embedder")

    async def all_embedded():
        return len(await log_of(kafka, EMBEDDINGS)) == 2 * len(given)

    await eventually(all_embedded)
    found = [Embedding.decode(each.value) for each in await log_of(kafka, EMBEDDINGS)]
    vectors = np.stack([np.frombuffer(each.vector, "<f4") for each in found])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_service_without_its_model_names_the_remedy_and_ends(kafka, tmp_path):
    service = ServiceProcess(
        "toxicity", tmp_path, TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap, TIDEMARK_MODELS=str(tmp_path / "none")
    )
    service.start()
    with pytest.raises(TimeoutError, match="make setup"):
        service.ready()
    assert service.stop() == 69
