"""What the batch runtime costs a call, Kafka to Kafka, beside bare loops, a Faust agent and fetching only.

Calls of 2 KB lie on the embedded broker, and then (`kafka`) on Apache Kafka; every contender reads them under a group
of its own, in a process of its own, in turns, 500 at a time, with the garbage collector as calm as in our services.
`value` is the CPU time (all threads) that the Pipeline needs for one call: fetch, decode, validate, a handler that
makes one score, encode, produce, commit. `peer` is a bare aiokafka loop that does the same and commits after its
outputs are acknowledged, with a future for each message (`bare`); `bare_batches` builds its batches itself, the fastest
loop known. `limit` only fetches. `added_us` is the Pipeline beyond `bare`. `consume` compares rates where nothing is
written: Pipeline, a Faust agent that takes event by event (`faust_plain`, the peer) or 500 at a time in the pattern
that loses nothing (`faust`), and fetching: `python -m benchmarks.runtime_overhead`.
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner

from benchmarks._broker import BROKERS, broker, calls, fill
from schemas.ids import score_id
from schemas.messages import Call, Score
from schemas.topics import CALLS, SCORES
from services.shared import collector, processor
from services.shared.agent import safe_app
from services.shared.kafka import LARGEST_MESSAGE_BYTES, Kafka
from services.shared.pipeline import Pipeline
from services.shared.process import Process
from services.shared.producer import BATCH_BYTES
from services.shared.settings import ServiceSettings

RUNS, CALLS_READ, BATCH = 5, 60_000, 500
TARGET_US, TARGET_TIMES_FAUST = 8, 10
Deliver = Callable[[Sequence[bytes]], Awaitable[None]]


class Clock:
    """From the first batch to the one that completes the calls: seconds, CPU seconds, and the calls between."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen, self.last = wanted, 0, 0
        self.began = (0.0, 0.0)
        self.ended = (0.0, 0.0)

    def batch(self, messages: int) -> bool:
        """Count a batch that is about to be worked on; whether it is the last."""
        if not self.seen:
            self.began = (time.perf_counter(), time.process_time())
        self.seen += messages
        self.last = messages
        self.ended = (time.perf_counter(), time.process_time())
        return self.seen >= self.wanted

    def result(self) -> dict[str, float]:
        """CPU microseconds a call, and calls a second."""
        count = self.seen - self.last
        seconds, cpu = (end - begin for begin, end in zip(self.began, self.ended, strict=True))
        return {"us": cpu / count * 1e6, "rate": count / seconds}


def score(call: Call) -> Score:
    """The least that a scorer could say."""
    return Score(
        score_id=score_id(call.call_id, "nothing", "bench", "1"), call_id=call.call_id, segment=call.segment,
        called_at=call.called_at, metric="nothing", status="scored", value=0.5, evaluator="bench",
        evaluator_version="1",
    )  # fmt: skip


async def _pipeline(kafka: Kafka, clock: Clock, make: Callable[[Call], Score] | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        process = Process(ServiceSettings(data=Path(folder), kafka_bootstrap=kafka.bootstrap, batch_records=BATCH))
        loop = asyncio.get_running_loop()

        def handle(batch: Sequence[Call]) -> list[Score]:
            if clock.batch(len(batch)):
                loop.call_soon_threadsafe(process.stopping.set)
            return [make(call) for call in batch] if make else []

        await Pipeline(f"bench-{uuid4()}", reads=CALLS, writes=SCORES, handle=handle).run(process)


async def pipeline(kafka: Kafka, clock: Clock) -> None:
    """The runtime, one score a call."""
    await _pipeline(kafka, clock, score)


async def pipeline_consume(kafka: Kafka, clock: Clock) -> None:
    """The runtime, nothing written."""
    await _pipeline(kafka, clock, None)


def _consumer(kafka: Kafka) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        CALLS.name, bootstrap_servers=kafka.bootstrap, group_id=f"bench-{uuid4()}", enable_auto_commit=False,
        auto_offset_reset="earliest", heartbeat_interval_ms=300, max_partition_fetch_bytes=LARGEST_MESSAGE_BYTES,
        fetch_max_wait_ms=250,
    )  # fmt: skip


async def _loop(kafka: Kafka, clock: Clock, work: Callable[[list[ConsumerRecord]], Awaitable[None]]) -> None:
    async with _consumer(kafka) as consumer:
        while True:
            fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH)
            records = [record for part in fetched.values() for record in part]
            if records and clock.batch(len(records)):
                return
            await work(records)
            await consumer.commit({place: part[-1].offset + 1 for place, part in fetched.items()} or None)


async def _writing(kafka: Kafka, clock: Clock, write: Callable[..., Awaitable[None]]) -> None:
    decode = msgspec.json.Decoder(Call).decode
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", max_batch_size=BATCH_BYTES, linger_ms=0
    ) as producer:

        async def work(records: list[ConsumerRecord]) -> None:
            await write(producer, [score(decode(record.value)) for record in records])

        await _loop(kafka, clock, work)


async def bare(kafka: Kafka, clock: Clock) -> None:
    """A loop as anybody would write it: a future for each message."""

    async def write(producer: AIOKafkaProducer, scores: list[Score]) -> None:
        futures = [await producer.send(SCORES.name, each.encode(), key=each.key.encode()) for each in scores]
        await asyncio.gather(*futures)

    await _writing(kafka, clock, write)


async def bare_batches(kafka: Kafka, clock: Clock) -> None:
    """A loop that builds its batches itself."""
    choose, places = DefaultPartitioner(), list(range(SCORES.partitions))

    async def write(producer: AIOKafkaProducer, scores: list[Score]) -> None:
        builders: dict[int, Any] = defaultdict(producer.create_batch)
        for each in scores:
            key = each.key.encode()
            builders[choose(key, places, places)].append(key=key, value=each.encode(), timestamp=None)
        sent = [await producer.send_batch(batch, SCORES.name, partition=place) for place, batch in builders.items()]
        await asyncio.gather(*sent)

    await _writing(kafka, clock, write)


async def fetch(kafka: Kafka, clock: Clock) -> None:
    """What nothing can beat: fetching, and commits."""

    async def work(_records: list[ConsumerRecord]) -> None:
        return

    await _loop(kafka, clock, work)


async def faust_plain(kafka: Kafka, clock: Clock) -> None:
    """An agent as Faust's guide writes it, one event at a time, in an application with our settings."""
    decode = msgspec.json.Decoder(Call).decode

    async def consume(stream: Any, done: asyncio.Event) -> None:
        async for value in stream:
            decode(value)
            if clock.batch(1):
                done.set()

    await _agent(kafka, clock, consume)


async def faust(kafka: Kafka, clock: Clock) -> None:
    """An agent that decodes and acknowledges, raw, in the pattern that loses nothing."""
    decode = msgspec.json.Decoder(Call).decode

    async def consume(stream: Any, done: asyncio.Event) -> None:
        async for events in stream.noack_take(BATCH, within=0.1):
            if clock.batch(len(events)):
                done.set()
            for event in events:
                decode(event.value)
                event.ack()

    await _agent(kafka, clock, consume)


async def _agent(kafka: Kafka, clock: Clock, consume: Callable[[Any, asyncio.Event], Awaitable[None]]) -> None:
    done = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        app = safe_app(kafka, f"bench-{uuid4()}", Path(folder))
        topic = app.topic(CALLS.name, key_serializer="raw", value_serializer="raw", internal=False)

        async def run(stream: Any) -> None:
            await consume(stream, done)

        app.agent(topic, name="bench", concurrency=1)(run)
        await app.start()
        await done.wait()
        os._exit(_said(clock))  # its stop waits for what it has fetched


WRITES = (pipeline, bare, bare_batches)
READS = (pipeline_consume, faust, faust_plain, fetch)
CONTENDERS = {each.__name__: each for each in (*WRITES, *READS)}
SHARE = {"faust": 4, "faust_plain": 8}  # slow enough for some of the calls to do


def _said(clock: Clock) -> int:
    print(json.dumps(clock.result()), flush=True)
    return 0


def measure(name: str, bootstrap: str) -> None:
    """One contender in this process: prints its numbers and ends the process."""
    clock = Clock(CALLS_READ // SHARE.get(name, 1))
    collector.calm()  # as every service does; the others would else pay for Python's own thresholds
    uvloop.run(CONTENDERS[name](Kafka(bootstrap), clock))
    _said(clock)


def run(name: str, kafka: Kafka) -> dict[str, float]:
    """One contender in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.runtime_overhead", name, kafka.bootstrap]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if ran.returncode:
        raise ChildProcessError(f"{name}: {ran.stderr[-2000:]}")
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Every contender in turns, on both brokers; the median of the runs."""
    made = calls(CALLS_READ)
    found = {kind: report(compared(kind, made), len(made[0].encode())) for kind in BROKERS}
    print(json.dumps({**found["tansu"], "kafka": found["kafka"]}))


def compared(kind: str, made: Sequence[Call]) -> dict[str, list[dict[str, float]]]:
    """The runs of every contender on one kind of broker."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    with broker(kind) as kafka:
        fill(kafka, made)
        for _ in range(RUNS):
            for name, measured in runs.items():
                measured.append(run(name, kafka))
    return runs


def report(runs: dict[str, list[dict[str, float]]], size: int) -> dict[str, Any]:
    """The medians; what the runtime adds is the median over rounds, in which contenders ran one after another."""
    us = {name: round(statistics.median(run["us"] for run in found), 2) for name, found in runs.items()}
    rates = {name: round(statistics.median(run["rate"] for run in found)) for name, found in runs.items()}

    def added(beside: str) -> float:
        pairs = zip(runs["pipeline"], runs[beside], strict=True)
        return round(statistics.median(own["us"] - other["us"] for own, other in pairs), 2)

    return {
        "name": "runtime, CPU a call, Kafka to Kafka", "value": us["pipeline"], "unit": "us", "peer": us["bare"],
        "limit": us["fetch"], "ratio": round(us["bare"] / us["pipeline"], 2), "runs": RUNS,
        "cpu": processor.name(),
        "added_us": added("bare"), "added_us_to_bare_batches": added("bare_batches"), "target_added_us": TARGET_US,
        "consume": {
            "name": "calls read, decoded and validated", "value": rates["pipeline_consume"], "unit": "calls/s",
            "peer": rates["faust_plain"], "limit": rates["fetch"],
            "ratio": round(rates["pipeline_consume"] / rates["faust_plain"], 2),
            "ratio_of_cpu": round(us["faust_plain"] / us["pipeline_consume"], 2), "target": TARGET_TIMES_FAUST,
            "ratio_to_batches": round(rates["pipeline_consume"] / rates["faust"], 2),
        },
        "us_a_call": us, "calls_a_second": rates, "calls": CALLS_READ, "bytes_a_call": size, "batch": BATCH,
        "load_before": round(os.getloadavg()[0], 2), "command": "python -m benchmarks.runtime_overhead",
    }  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1:
        logging.disable(logging.ERROR)
        measure(sys.argv[1], sys.argv[2])
    else:
        main()
