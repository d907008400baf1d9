"""`tidemark topics`: the declared topics on the broker."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError

from cli.options import AsJson, Data
from cli.printing import fail
from schemas.topics import every_topic
from services.embedded.connection import settings
from services.shared.errors import Unusable
from services.shared.kafka import Kafka
from services.shared.topic_plan import Plan, Step
from services.shared.topics import apply as carry_out
from services.shared.topics import look

topics = typer.Typer(help="Compare the broker's topics with those that are declared, or make them so.")

REFUSED, PENDING = 1, 2
Copies = Annotated[
    int | None,
    typer.Option(
        "--replication-factor", min=1, help="Copies of each message.", show_default="3 on three brokers, else 1"
    ),
]
Shorter = Annotated[
    bool, typer.Option("--allow-shorter-retention", help="Retention may become less: what is older is deleted.")
]


@topics.command()
def plan(copies: Copies = None, shorter: Shorter = False, data: Data = None, as_json: AsJson = False) -> None:
    """Show what `tidemark topics apply` would do, and what it would refuse.

    Exit code 0 where there is nothing to do, 2 where there is, 1 where something is refused, 69 where no
    broker answers.
    """
    planned = _ask(look, copies, shorter, data)
    _print(planned, as_json=as_json, applied=False)
    raise typer.Exit(REFUSED if planned.refused else PENDING if planned.pending else 0)


@topics.command()
def apply(copies: Copies = None, shorter: Shorter = False, data: Data = None, as_json: AsJson = False) -> None:
    """Make the topics that are missing and change what may be changed; nothing is ever deleted.

    What is refused stays as it is, and the rest is done. Exit code 0 where everything is as declared, 1 where
    something was refused, 69 where no broker answers.
    """
    done = _ask(carry_out, copies, shorter, data)
    _print(done, as_json=as_json, applied=True)
    raise typer.Exit(REFUSED if done.refused else 0)


def _ask(work: Callable[..., Awaitable[Plan]], copies: int | None, shorter: bool, data: Path | None) -> Plan:
    place = settings(data)

    async def ask() -> Plan:
        return await work(Kafka.of(place), every_topic(), replication_factor=copies, shorter=shorter)

    try:
        return asyncio.run(ask())
    except (KafkaError, OSError, TimeoutError) as error:
        reason = f"the broker at {place.kafka_bootstrap} does not answer ({error or type(error).__name__})"
        fail(reason, code=Unusable.exit_code)
    except Unusable as error:
        fail(str(error), code=Unusable.exit_code)


def _print(planned: Plan, *, as_json: bool, applied: bool) -> None:
    if as_json:
        print(json.dumps(_plain(planned, applied=applied)))
        return
    for step in planned.steps:
        for line in _lines(step):
            print(line)
    for name in planned.unknown:
        print(f"? {name}: nobody declares it; it stays")
    print(_sum(planned, applied=applied))


def _plain(planned: Plan, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "pending": planned.pending and not applied,
        "refused": bool(planned.refused),
        "topics": [step.as_dict() for step in planned.steps],
        "unknown": list(planned.unknown),
    }


def _lines(step: Step) -> list[str]:
    """A line for each thing to be said of a topic; none for one that is as declared.

    >>> _lines(Step("calls.v1", 8, 1, {}))
    ['+ calls.v1: partitions 8, copies 1']
    """
    lines = [f"+ {step.topic}: partitions {step.partitions}, copies {step.copies}"] if step.create else []
    if step.grow:
        lines.append(f"~ {step.topic}: {step.found_partitions} → {step.partitions} partitions")
    lines += [f"~ {step.topic}: {change.setting} {change.found} → {change.declared}" for change in step.changes]
    lines += [f"! {step.topic}: refused: {why}" for why in step.refused]
    return lines + [f"  {step.topic}: {note}" for note in step.notes]


def _sum(planned: Plan, *, applied: bool) -> str:
    counts = {action: sum(step.action == action for step in planned.steps) for action in ("create", "grow", "change")}
    changed = counts["grow"] + counts["change"]
    refused = f", {len(planned.refused)} refused" if planned.refused else ""
    if applied:
        return f"{counts['create']} created, {changed} changed{refused}, of {len(planned.steps)} topics"
    return f"{counts['create']} to create, {changed} to change{refused}, of {len(planned.steps)} topics"
