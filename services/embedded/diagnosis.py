"""What is wrong with a running stack, or with the broker and ClickHouse that the environment names."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from services.embedded.data_directory import DataDirectory
from services.embedded.finding import Finding, good, problem, warning
from services.embedded.log_files import last_error, last_lines
from services.shared.breaker import Marker
from services.shared.kafka import Kafka, is_away
from services.shared.settings import SharedSettings, without_password

LONG_LAG = 10_000
_LINES = 200
_ANSWER_SECONDS = 5.0
NOT_DURABLE = (
    "the embedded broker holds its log in memory: what a producer writes straight to it is gone when it ends; "
    "what comes through the gateway is not"
)


def parts(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the parts of a running stack say of themselves."""
    yield good("supervisor", f"{status['phase']}, process {status['pid']}")
    yield from (_part(part) for part in status["parts"])
    if not status["durable"]:
        yield warning("durability", NOT_DURABLE, "send through the gateway, or use `tidemark up --broker kafka`")


def stopped(data: DataDirectory) -> Iterator[Finding]:
    """Services that stopped themselves, since too much of what they were given failed, and wait for a person."""
    for name, marker in Marker.all(data.root).items():
        told = marker.told()
        what = f"it stopped itself at {told['stopped_at']}: {told['reason'][:300]}"
        yield problem(
            name, what, f"mend the cause (`tidemark dlq list --service {name}`), then `tidemark resume {name}`"
        )


def reachable(place: SharedSettings) -> Iterator[Finding]:
    """Whether broker and ClickHouse answer."""
    yield _broker(place.kafka_bootstrap)
    yield _clickhouse(place.clickhouse_url)


def _part(part: Mapping[str, Any]) -> Finding:
    name, log = part["name"], Path(part["log"])
    if part["state"] == "crash loop":
        error = last_error(last_lines(log, _LINES)) or "its log says nothing of an error"
        return problem(name, f"it ends again and again (code {part['last_exit']}): {error[-400:]}", f"see {log}")
    if not part["ready"]:
        return problem(name, f"{part['state']}: {part['reason'] or 'it does not answer yet'}", f"wait, or see {log}")
    if (part["lag"] or 0) > LONG_LAG:
        what = f"it is {part['lag']:,} messages behind"
        return warning(name, what, "send less, or sample; it catches up when less comes in")
    if part["restarts"]:
        return warning(name, f"ready, started again {part['restarts']} times", f"see {log}")
    return good(name, "ready")


def _broker(bootstrap: str) -> Finding:
    if not asyncio.run(is_away(Kafka(bootstrap))):
        return good("broker", f"listens at {bootstrap}")
    return problem("broker", f"nobody listens at {bootstrap}", "`tidemark up`, or correct TIDEMARK_KAFKA_BOOTSTRAP")


def _clickhouse(url: str) -> Finding:
    shown = without_password(url)
    try:
        answer = httpx.get(f"{url}/ping", timeout=_ANSWER_SECONDS, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        what = f"ClickHouse does not answer at {shown}: {error or type(error).__name__}"
        return problem("clickhouse", what, "`tidemark up`, or correct TIDEMARK_CLICKHOUSE_URL")
    if answer.is_success:
        return good("clickhouse", f"answers at {shown}")
    return problem("clickhouse", f"{shown} answers {answer.status_code}", "see its log: `tidemark logs clickhouse`")
