"""A reference that comes hours later scores its call, whatever happened to the process in between."""

from datetime import UTC, datetime, timedelta

import clickhouse_connect
import pytest

from schemas import clickhouse
from schemas.ids import uuid7
from schemas.messages import Feedback, Score
from schemas.topics import CALLS, FEEDBACK, SCORES, dead_letters
from services.shared.sink import Batch, Record
from services.writer.store import Store
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.engine import running
from tests.support.messages import a_call
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded
CALLED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
SAID = CALLED + timedelta(hours=3)
ANSWER = "The meeting was moved to Friday afternoon."
METRICS = "bleu,chrf,rouge_l,exact_match,feedback"


@pytest.fixture
def engine(tmp_path):
    with running(tmp_path / "engine") as found:
        clickhouse.apply(client_of(found, ""), clickhouse.Names())
        yield found


@pytest.fixture
def quality(kafka, prefix, tmp_path, engine):
    service = ServiceProcess(
        "quality",
        tmp_path,
        TIDEMARK_KAFKA_BOOTSTRAP=kafka.bootstrap,
        TIDEMARK_KAFKA_PREFIX=prefix,
        TIDEMARK_CLICKHOUSE_URL=engine.url,
        TIDEMARK_DATA=str(tmp_path),
        TIDEMARK_QUALITY_METRICS=METRICS,
    )
    yield service
    service.kill()


def client_of(engine, database="tidemark"):
    return clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse, database=database or "default")


def stored(engine, topic, messages):
    records = [Record(message, topic.name, 0, offset, "run", 0) for offset, message in enumerate(messages)]
    last = len(records) - 1
    batch = Batch(topic=topic, partition=0, broker_run="run", first_offset=0, last_offset=last, records=records)
    Store(lambda: client_of(engine), lambda: datetime.now(UTC)).write(topic, [batch])


def said(call, kind, *, tenant="t", **fields):
    return Feedback(feedback_id=uuid7(), call_id=call.call_id, tenant=tenant, kind=kind, given_at=SAID, **fields)


async def scores(kafka):
    return [Score.decode(each.value) for each in await log_of(kafka, SCORES)]


async def test_late_references_and_feedback_score_their_call(kafka, engine, quality):
    await declare(kafka, CALLS, FEEDBACK, SCORES, dead_letters("quality"))
    call = a_call(called_at=CALLED, response=ANSWER, groups={"plan": "free"}, inclusion_probability=0.5)
    other = a_call(called_at=CALLED, response=ANSWER)
    await put(kafka, CALLS, [call.encode(), other.encode()])
    quality.start()
    await eventually(lambda: count(kafka, 10))
    assert {score.status for score in await scores(kafka)} == {"not_scored"}

    opinions = [
        said(call, "reference", text=ANSWER),
        said(call, "stars", value=4.0),
        said(other, "reference", text=ANSWER, tenant="somebody else"),
        said(other, "comment", text="hm"),
    ]
    await put(kafka, FEEDBACK, [each.encode() for each in opinions], partition=2)
    await eventually(lambda: taken(kafka, len(opinions)))
    quality.kill()  # the feedback is committed, its call is not stored yet, and the process is gone
    stored(engine, CALLS, [call, other])
    quality.start()

    await eventually(lambda: count(kafka, 15))
    late = {score.metric: score for score in (await scores(kafka))[10:] if score.status == "scored"}
    assert {metric: score.value for metric, score in late.items()} == {
        "bleu": pytest.approx(100.0), "chrf": 100.0, "rouge_l": 1.0, "exact_match": 1.0, "feedback": 0.75,
    }  # fmt: skip
    assert {score.call_id for score in late.values()} == {call.call_id}
    assert {score.input_at for score in late.values()} == {SAID}
    assert {(score.called_at, score.inclusion_probability, score.groups["plan"]) for score in late.values()} == {
        (CALLED, 0.5, "free")
    }
    assert late["bleu"].statistics["matches_4"] == 5

    everything = await scores(kafka)
    stored(engine, SCORES, [*everything[10:], *everything[:10]])  # whichever came first
    said_of_it = client_of(engine).query(
        "SELECT metric, status FROM scores WHERE call_id = {id:UUID} ORDER BY metric", parameters={"id": call.call_id}
    )
    assert dict(said_of_it.result_rows) == dict.fromkeys(sorted(METRICS.split(",")), "scored")
    assert quality.stop() == 0


async def test_calls_are_scored_while_clickhouse_is_away_and_feedback_afterwards(kafka, engine, quality):
    await declare(kafka, CALLS, FEEDBACK, SCORES, dead_letters("quality"))
    call = a_call(called_at=CALLED, response=ANSWER)
    stored(engine, CALLS, [call])
    engine.stop()
    quality.start()
    await put(kafka, FEEDBACK, [said(call, "thumbs", value=1.0).encode()])
    await eventually(lambda: taken(kafka, 1))
    await put(kafka, CALLS, [call.encode()])
    await eventually(lambda: count(kafka, 5))
    engine.start()
    await eventually(lambda: count(kafka, 6))
    assert [(score.metric, score.value) for score in await scores(kafka) if score.value is not None] == [
        ("feedback", 1.0)
    ]


async def count(kafka, wanted):
    return len(await log_of(kafka, SCORES)) >= wanted


async def taken(kafka, wanted):
    return sum((await committed(kafka, FEEDBACK, "quality")).values()) >= wanted
