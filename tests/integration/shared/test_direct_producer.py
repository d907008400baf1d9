"""What a producer of somebody else's may write straight to the broker."""

import aiokafka.codec
import aiokafka.producer.message_accumulator
import aiokafka.producer.producer
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.errors import Unusable
from services.shared.pipeline import Pipeline
from tests.support.broker import BrokenName, committed, declare, eventually, log_of
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "latency"


@pytest.fixture
async def topics(kafka):
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))


def a_pipeline():
    return Pipeline(NAME, reads=CALLS, writes=SCORES, handle=lambda calls: [a_score_of(call) for call in calls])


async def send(kafka, codec, headers=()):
    """The call that was sent."""
    call = a_call()
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type=codec) as producer:
        await producer.send_and_wait(kafka.full(CALLS.name), call.encode(), key=b"k", partition=0, headers=[*headers])
    return call


async def test_compressed_messages_and_broken_header_names_are_read(kafka, topics, tmp_path, monkeypatch):
    for module in (aiokafka.producer.message_accumulator, aiokafka.producer.producer):  # the fast one refuses the name
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    codecs = ("gzip", "snappy", "lz4", "zstd")
    sent = [await send(kafka, codec, headers=[(BrokenName("name"), b"1")]) for codec in codecs]

    async def all_read():
        return await committed(kafka, CALLS, NAME) == {0: 4}

    async with running(a_pipeline(), a_process(kafka, tmp_path)):
        await eventually(all_read)
    scored = [Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)]
    assert scored == [call.call_id for call in sent]


async def test_a_compression_that_cannot_be_read_ends_the_process_with_the_remedy(kafka, topics, tmp_path, monkeypatch):
    await send(kafka, "zstd")
    monkeypatch.setattr(aiokafka.codec, "has_zstd", lambda: False)
    process = a_process(kafka, tmp_path)
    with pytest.raises(Unusable, match="zstd"):
        await a_pipeline().run(process)
