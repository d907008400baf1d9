"""Reads what a verification compares: the store, the broker and the spools."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from itertools import islice
from pathlib import Path
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from schemas.topics import CALLS, dead_letters
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import Kafka, broker_run, stopped
from services.shared.topics import partitions
from services.writer.verification import Found, Verdict, Waiting, judge, mentioned, uncovered

CHUNK_IDS = 5000  # in the text of one query, within ClickHouse's max_query_size of 256 KiB
PAUSE_SECONDS = 0.5
SENT = ".sent"  # beside a segment of the gateway's spool: the broker run that has acknowledged all of it
REJECTED = "rejected.jsonl"  # in a client's spool: what was refused for good, with the reason
_WRITER = "writer"
# Filled in by the client and sent in the body: as typed parameters they would stand in the URL, which is too short.
_STORED = "SELECT call_id, count() FROM calls WHERE call_id IN %(ids)s GROUP BY call_id"
_DEAD = """
SELECT DISTINCT assumeNotNull(call_id) FROM dead_letters
WHERE service = %(service)s AND topic = %(topic)s AND call_id IN %(ids)s
"""


async def compare(
    acknowledged: Set[UUID], client: Client, kafka: Kafka, *, spools: Sequence[Path] = (), wait_seconds: float = 0.0
) -> Verdict:
    """What became of `acknowledged`; asks again while something is pending, for `wait_seconds` at most.

    A call that the gateway refused after the client's spool had acknowledged it lies in the reject file of that spool,
    with the reason: it counts as dead-lettered. While something is pending it also waits for a broker and a store that
    do not answer; then it raises what aiokafka and clickhouse-connect raise. The broker is asked only when a call is
    missing.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        try:
            verdict = await _compared(acknowledged, client, kafka, spools)
        except (Error, KafkaError, OSError, TimeoutError):
            if loop.time() >= deadline:
                raise
        else:
            if not verdict.pending or loop.time() >= deadline:
                return verdict
        await asyncio.sleep(PAUSE_SECONDS)


async def _compared(acknowledged: Set[UUID], client: Client, kafka: Kafka, spools: Sequence[Path]) -> Verdict:
    verdict = judge(acknowledged, found_of(client, acknowledged, spools), Waiting())
    if not verdict.lost:
        return verdict
    waiting = await waiting_of(client, kafka, spools)
    return judge(acknowledged, found_of(client, acknowledged, spools), waiting)


def found_of(client: Client, call_ids: Iterable[UUID], spools: Sequence[Path] = ()) -> Found:
    """What the views, the writer's own dead letters of calls and the clients' reject files say of these calls."""
    stored: dict[UUID, int] = {}
    dead = set(refused(spools))
    for chunk in _chunks(call_ids):
        asked = {"ids": tuple(map(str, chunk)), "service": _WRITER, "topic": CALLS.name}
        stored.update({UUID(str(call_id)): count for call_id, count in client.query(_STORED, asked).result_rows})
        dead.update(UUID(str(call_id)) for (call_id,) in client.query(_DEAD, asked).result_rows)
    return Found(stored, dead)


async def waiting_of(client: Client, kafka: Kafka, spools: Sequence[Path]) -> Waiting:
    """What may still come. Spools first, then calls, then their dead letters: that is the way a call goes.

    Asked again where the broker's log became another one meanwhile: what the old one held is sent again by a spool.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
    )
    await consumer.start()
    try:
        while True:
            run = await broker_run(consumer._client)
            spooled = frozenset().union(*(mentioned(data) for folder in spools for data in unsent(folder, run)))
            topics = (CALLS.name, dead_letters(_WRITER).name)
            messages = sum([await _backlog(client, kafka, topic, consumer) for topic in topics])
            if run == await broker_run(consumer._client):
                return Waiting(spooled, messages)
    finally:
        await stopped(consumer)


async def _backlog(client: Client, kafka: Kafka, topic: str, consumer: AIOKafkaConsumer) -> int:
    """Messages of a topic that no stored range covers, in the log as it is."""
    places = await partitions(kafka, topic)
    starts, ends = await consumer.beginning_offsets(places), await true_ends(consumer, places)
    rows = client.query(
        "SELECT partition, first_offset, last_offset FROM ingest_ranges "
        "WHERE broker_run = {run:String} AND topic = {topic:String}",
        parameters={"run": await broker_run(consumer._client), "topic": topic},
    ).result_rows
    ranges: dict[int, list[tuple[int, int]]] = {}
    for number, first, last in rows:
        ranges.setdefault(number, []).append((first, last))
    return sum(uncovered(ranges.get(at.partition, ()), starts[at], ends[at]) for at in places)


def refused(spools: Iterable[Path]) -> Iterator[UUID]:
    """The ids in the reject files of clients' spools; a torn last line, which nobody was told of, is left out."""
    for path in (path for folder in spools for path in folder.rglob(f"{REJECTED}*")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            with suppress(ValueError, KeyError, TypeError):
                yield UUID(json.loads(line)["id"])


def unsent(folder: Path, run: str) -> Iterator[bytes]:
    """What lies in a spool, without the segments of which it is noted beside them that this broker run has them."""
    for path in sorted(folder.rglob("*")):
        try:
            sent = path.with_suffix(SENT)
            if path.is_file() and REJECTED not in path.name and not (sent.exists() and sent.read_text() == run):
                yield path.read_bytes()
        except FileNotFoundError:
            continue  # sent and deleted meanwhile: it is on the broker, which is asked next


def _chunks(call_ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(call_ids)
    while chunk := list(islice(left, CHUNK_IDS)):
        yield chunk
