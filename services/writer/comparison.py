"""Reads what a verification compares: the store, the broker and the spools."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import islice
from pathlib import Path
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver.client import Client

from schemas.topics import CALLS, dead_letters
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import Kafka, broker_run, stopped
from services.shared.topics import partitions
from services.writer.verification import Found, Verdict, Waiting, judge, mentioned, uncovered

CHUNK_IDS = 5000  # in the text of one query, within ClickHouse's max_query_size of 256 KiB
PAUSE_SECONDS = 0.5
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

    Raises what aiokafka and clickhouse-connect raise where broker or store do not answer; the broker is asked only
    when a call is missing.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        verdict = judge(acknowledged, found_of(client, acknowledged), Waiting())
        if verdict.lost:
            waiting = await waiting_of(client, kafka, spools)
            verdict = judge(acknowledged, found_of(client, acknowledged), waiting)
        if not verdict.pending or loop.time() >= deadline:
            return verdict
        await asyncio.sleep(PAUSE_SECONDS)


def found_of(client: Client, call_ids: Iterable[UUID]) -> Found:
    """What the views and the writer's own dead letters of calls say of these calls."""
    stored: dict[UUID, int] = {}
    dead: set[UUID] = set()
    for chunk in _chunks(call_ids):
        asked = {"ids": tuple(map(str, chunk)), "service": _WRITER, "topic": CALLS.name}
        stored.update({UUID(str(call_id)): count for call_id, count in client.query(_STORED, asked).result_rows})
        dead.update(UUID(str(call_id)) for (call_id,) in client.query(_DEAD, asked).result_rows)
    return Found(stored, dead)


async def waiting_of(client: Client, kafka: Kafka, spools: Sequence[Path]) -> Waiting:
    """What may still come. Spools first, then calls, then their dead letters: that is the way a call goes."""
    spooled = frozenset().union(*(mentioned(data) for folder in spools for data in _contents(folder)))
    messages = 0
    for topic in (CALLS.name, dead_letters(_WRITER).name):
        messages += await _backlog(client, kafka, topic)
    return Waiting(spooled, messages)


async def _backlog(client: Client, kafka: Kafka, topic: str) -> int:
    """Messages of a topic that no stored range covers, in the log as it is."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
    )
    await consumer.start()
    try:
        places = await partitions(kafka, topic)
        starts, ends = await consumer.beginning_offsets(places), await true_ends(consumer, places)
        run = await broker_run(consumer._client)
    finally:
        await stopped(consumer)
    rows = client.query(
        "SELECT partition, first_offset, last_offset FROM ingest_ranges "
        "WHERE broker_run = {run:String} AND topic = {topic:String}",
        parameters={"run": run, "topic": topic},
    ).result_rows
    ranges: dict[int, list[tuple[int, int]]] = {}
    for number, first, last in rows:
        ranges.setdefault(number, []).append((first, last))
    return sum(uncovered(ranges.get(at.partition, ()), starts[at], ends[at]) for at in places)


def _contents(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield path.read_bytes()
        except FileNotFoundError:
            continue  # sent and deleted meanwhile: it is on the broker, which is asked next


def _chunks(call_ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(call_ids)
    while chunk := list(islice(left, CHUNK_IDS)):
        yield chunk
