"""What became of the acknowledged calls: the ledger against the store's views and its dead letters."""

import asyncio
import time
from contextlib import closing
from urllib.parse import urlsplit

import clickhouse_connect

from services.shared.kafka import Kafka
from services.writer.comparison import compare
from services.writer.verification import ledger_of

WAIT_SECONDS = 300
IDLE_SECONDS = 60
SCORED = "SELECT uniqExact(call_id) FROM scores WHERE evaluator = 'latency'"
SCORED_TWICE = "SELECT count() - uniqExact(score_id) FROM scores"


def judged(place, emitting):
    """The verdict on every id of the ledger, as `tidemark verify` comes to it."""
    with emitting.ledger.open() as lines:
        acknowledged = ledger_of(lines)
    parts = urlsplit(place.store.url)
    client = clickhouse_connect.get_client(host=parts.hostname, port=parts.port, database="tidemark")
    spools = [emitting.spool, *place.spools]
    with closing(client):
        return asyncio.run(
            compare(acknowledged, client, Kafka(place.bootstrap), spools=spools, wait_seconds=WAIT_SECONDS)
        )


def complaints(verdict, stats):
    """Why the calls are not accounted for; empty where they are."""
    wanted = {
        "lost": (verdict.lost, 0),
        "pending": (verdict.pending, 0),
        "twice through the view": (verdict.duplicates, 0),
        "dropped by the client": (stats["dropped"], 0),
        "rejected": (stats["rejected"], 0),
        "acknowledged by the client": (stats["acknowledged"], verdict.acknowledged),
    }
    return [f"{name}: {found}, not {right}" for name, (found, right) in wanted.items() if found != right]


def unscored(place, stored):
    """Why not every stored call has its scores, once; empty where it has. Waits while the scorer gets on."""
    scored, until = -1, time.monotonic() + IDLE_SECONDS
    while scored != stored and time.monotonic() < until:
        time.sleep(0.5)
        if (found := place.store.number(SCORED)) != scored:
            scored, until = found, time.monotonic() + IDLE_SECONDS
    twice = place.store.number(SCORED_TWICE)
    found = [f"scored calls: {scored}, not {stored}"] if scored != stored else []
    return found + ([f"scores that come twice: {twice}"] if twice else [])
