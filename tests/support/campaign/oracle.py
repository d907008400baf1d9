"""What became of the acknowledged calls: the ledger against the store's views and its dead letters."""

import asyncio
import json
import math
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import clickhouse_connect

from services.embedded.scorers import SCORERS
from services.shared.kafka import Kafka
from services.shared.sampling import place_of
from services.windower.recompute import closed_before
from services.writer.comparison import compare
from services.writer.verification import ledger_of

WAIT_SECONDS = 300
IDLE_SECONDS = 60
DECLARED = {offer.service: [metric.name for metric in offer.metrics] for offer in SCORERS}  # by evaluator
# A metric at a time, as they lie: of a long load the engine's bounds on a query's time and memory are not met.
METRICS = "SELECT DISTINCT metric FROM scores_rows"
SCORED = """SELECT uniqExact(call_id), countIf(status = 'failed') FROM scores
WHERE evaluator = '{evaluator}' AND metric = '{metric}'"""
SCORED_TWICE = "SELECT count() - uniqExact(score_id) FROM scores WHERE metric = '{metric}'"


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
    """Why the calls are not accounted for; empty where they are. Each of them is well-formed: no letter is wanted."""
    wanted = {
        "lost": (verdict.lost, 0),
        "dead-lettered": (verdict.dead_lettered, 0),
        "pending": (verdict.pending, 0),
        "twice through the view": (verdict.duplicates, 0),
        "dropped by the client": (stats["dropped"], 0),
        "rejected": (stats["rejected"], 0),
        "acknowledged by the client": (stats["acknowledged"], verdict.acknowledged),
    }
    return [f"{name}: {found}, not {right}" for name, (found, right) in wanted.items() if found != right]


def unscored(place, stored):
    """Why not every stored call has its scores, once; empty where it has. Waits while the scorer gets on."""
    at_rest(place, SCORED.format(evaluator="latency", metric=DECLARED["latency"][-1]), stored)  # it comes last
    twice = sum(place.store.number(SCORED_TWICE.format(metric=metric)) for (metric,) in place.store.rows(METRICS))
    return not_whole(place, "latency", stored) + ([f"scores that come twice: {twice}"] if twice else [])


def not_whole(place, evaluator, calls):
    """Why not each of so many scored calls has every metric that its evaluator declares; a failed score is none."""
    found = []
    for metric in DECLARED[evaluator]:
        ((scored, failed),) = place.store.rows(SCORED.format(evaluator=evaluator, metric=metric))
        found += [f"calls with {metric}: {scored}, not {calls}"] if int(scored) != calls else []
        found += [f"failed scores of {metric}: {failed}"] if int(failed) else []
    return found


def at_rest(place, query, wanted=None):
    """The number that `query` answers when it is `wanted`, or has not changed for a minute."""
    found, until = -1, time.monotonic() + IDLE_SECONDS
    while found != wanted and time.monotonic() < until:
        time.sleep(0.5)
        if (now := place.store.number(query)) != found:
            found, until = now, time.monotonic() + IDLE_SECONDS
    return found


def miscounted(place, config):
    """Why the windows do not hold what is stored, as `tidemark recompute` finds, and its figures; waits for the last.

    The last is where the windower, with its `config`, does not touch the window of the last call any more.
    """
    first, last = (place.store.number(f"SELECT toUnixTimestamp({end}(called_at)) FROM calls") for end in ("min", "max"))
    length = max(config.interval_seconds)
    while closed_before(config, length, datetime.now(UTC)) < last + length:
        time.sleep(1)
    done = place.stack.tidemark("recompute", "--from", datetime.fromtimestamp(first, UTC).isoformat(), "--json")
    if not done.stdout:
        return [f"recompute: {done.stderr}"], {}
    said = json.loads(done.stdout)
    found = [f"windows that recompute has {name}: {said[name]}" for name in ("mended", "kept") if said[name]]
    found += [] if said["same"] else ["no window is as stored: there was none to look at"]
    return found, {"windows_as_stored": said["same"]}


def sampled_wrongly(place, evaluator):
    """Why the scores of a model that was behind are no whole sample at the rates that they state; and its figures."""
    taken = f"SELECT call_id, max(inclusion_probability) FROM scores WHERE evaluator = '{evaluator}' GROUP BY call_id"
    rates = {UUID(call_id): float(rate) for call_id, rate in place.store.rows(taken)}
    stored = [UUID(call_id) for (call_id,) in place.store.rows("SELECT call_id FROM calls")]
    figures = {f"{evaluator}_scored": len(rates), f"{evaluator}_least_rate": min(rates.values(), default=1.0)}
    found = no_sample(rates, stored) + not_whole(place, evaluator, len(rates))
    return [f"{evaluator}: {each}" for each in found], figures


def no_sample(rates, stored):
    """Why the scored calls, with the rate that each states, are no sample of the stored ones; empty where they are.

    Three things hold whatever was killed: a call that lies below the least rate is in every sample, so it is scored;
    a scored call lies below its rate; and the stored calls are as many as the inverse rates add up to, within five
    standard errors (Horvitz and Thompson).
    """
    least = min(rates.values(), default=1.0)
    missing = sum(place_of(call_id) < least and call_id not in rates for call_id in stored)
    outside = sum(place_of(call_id) >= rate for call_id, rate in rates.items())
    estimate = sum(1 / rate for rate in rates.values())
    error = math.sqrt(sum((1 - rate) / rate**2 for rate in rates.values()))
    found = {
        f"{missing} calls of every sample without a score": missing,
        f"{outside} scored calls outside of their sample": outside,
        f"{len(stored)} calls, and {estimate:.0f} ± {error:.0f} by the sample": abs(estimate - len(stored)) > 5 * error,
    }
    return [complaint for complaint, holds in found.items() if holds]
