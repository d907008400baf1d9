"""`tidemark rescore`: score stored calls again."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from cli.options import App, AsJson, Data, Tenant
from cli.outages import answered
from cli.outputs import regular
from cli.progress import Shown, shown
from schemas.messages import Score
from schemas.topics import SCORES
from services.embedded.connection import readonly_url, settings
from services.embedded.replay_order import moment
from services.embedded.rescoring import MARK, Rescored, Send
from services.embedded.rescoring import rescore as score_again
from services.embedded.scorers import AVAILABLE, BY_NAME, NAMED, SCORERS
from services.embedded.stored_calls import StoredCalls
from services.shared.clickhouse import client
from services.shared.kafka import Kafka, answer
from services.shared.line_scoring import chosen, loaded, written
from services.shared.object_store import payload_store
from services.shared.payload_reader import PayloadReader
from services.shared.producer import Producer, Writes
from services.shared.settings import SharedSettings
from services.shared.topics import partitions

Start = Annotated[str, typer.Option("--from", help="Calls of this time (2026-01-31T10:00:00Z) or later.")]
End = Annotated[str, typer.Option("--to", help="And before this time.", show_default="now")]
Metrics = Annotated[str, typer.Option(help="Names or shell patterns with commas, or all; a judge only by its name.")]
Output = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False, help="Write JSON lines (call_id, metric, …) here.", show_default="publish to scores.v1"
    ),
]


def rescore(  # noqa: PLR0913, PLR0917 - an argument an option
    start: Start,
    end: End = "",
    metrics: Metrics = "all",
    app: App = "",
    tenant: Tenant = "",
    output: Output = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Score stored calls again, with the scorers as they are set here (TIDEMARK_LATENCY_PRICES=new.yaml, …).

    Reads ClickHouse, read only, so it reaches further back than `tidemark replay`, which reads the topic. The scores
    are published to scores.v1, marked as a replay: they are stored beside those of other evaluator versions, the same
    version gives the same ids and rows, and no window or alert takes them (`tidemark recompute` makes windows). With
    --output they are written to a file instead, for `tidemark compare`. Exit code 2 where store, broker or payloads
    stay away; nothing is marked as failed for it, and doing it again is harmless.
    """
    config = settings(data)
    place = None if output is None else regular(output)
    with answered(), shown("stored calls are scored", "calls") as progress:
        wanted = chosen(metrics, AVAILABLE, NAMED)
        begin, stop = moment(start), moment(end) if end else datetime.now(UTC)
        stored = StoredCalls(client(config, url=readonly_url(data)), begin, stop, app, tenant)
        job = _Job(config, stored, wanted)
        done = asyncio.run(job.publish(progress) if place is None else job.write(place, progress))
    print(json.dumps(asdict(done)) if as_json else f"{done.scores} scores of {done.calls} stored calls")


class _Job:
    def __init__(self, config: SharedSettings, stored: StoredCalls, metrics: list[str]) -> None:
        self._config, self._stored, self._metrics = config, stored, metrics
        self._scorers = loaded((*SCORERS, *BY_NAME), metrics)
        self._payloads = PayloadReader(payload_store(config))

    async def publish(self, progress: Shown) -> Rescored:
        kafka = Kafka.of(self._config)
        await answer(partitions(kafka, SCORES.name))  # a producer would wait for its broker without end
        async with Producer(kafka) as producer:
            return await self._run(lambda scores: producer.send(scores, Writes(SCORES), MARK), progress)

    async def write(self, output: Path, progress: Shown) -> Rescored:
        partial = output.with_name(f"{output.name}.partial")
        with partial.open("wb") as file:
            done = await self._run(_writing(file), progress)
        partial.replace(output)
        return done

    async def _run(self, send: Send, progress: Shown) -> Rescored:
        return await score_again(
            self._stored,
            self._scorers,
            metrics=self._metrics,
            payloads=self._payloads,
            send=send,
            progress=progress,
        )


def _writing(file: BinaryIO) -> Send:
    async def write(scores: Sequence[Score]) -> None:
        file.writelines(written(score.call_id, score) + b"\n" for score in scores)

    return write
