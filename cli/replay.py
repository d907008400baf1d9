"""`tidemark replay`: have a service read a topic again."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.printing import fail, say
from services.embedded import replaying
from services.embedded.connection import settings
from services.embedded.replay_order import Order, order

Data = Annotated[
    Path | None, typer.Option(help="The data directory.", envvar="TIDEMARK_DATA", show_default=".tidemark")
]
Start = Annotated[str, typer.Option("--from", help="A time (2026-01-31T10:00:00Z) or an offset of every partition.")]
End = Annotated[
    str, typer.Option("--to", help="Up to this time or offset, exclusive.", show_default="what is there at the start")
]
Service = Annotated[str, typer.Option(help="Who processes it.")]
Name = Annotated[str, typer.Option(help="The name of the replay; the same name goes on where it stopped.")]
Changed = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the service for this replay, TIDEMARK_LATENCY_PRICES=new.yaml."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_STEP = 0.1  # of the whole, between two lines where there is no terminal


def replay(  # noqa: PLR0913, PLR0917 - an argument an option
    topic: Annotated[str, typer.Argument(help="The topic, calls.v1 for example.")],
    start: Start,
    service: Service,
    end: End = "",
    name: Name = "",
    changed: Changed = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Have a service read a topic again, under a group of its own; nothing that comes of it causes an action.

    The same work gives the same ids, so the same rows. A scorer with other settings (`--set`: another model, another
    price list) has another evaluator version, and its scores stand beside the old ones. Exit code 1 where the service
    did not get to the end: the same `--name` goes on from there.
    """
    try:
        wanted = order(topic, service, start=start, end=end, name=name, settings=tuple(changed or ()))
        with _shown(wanted) as progress:
            done = asyncio.run(replaying.replay(wanted, settings(data), progress))
    except ValueError as error:
        fail(str(error))
    except (KafkaError, OSError, TimeoutError) as error:
        fail(f"the broker does not answer ({error or type(error).__name__})")
    print(json.dumps(done.as_dict()) if as_json else f"{done.messages} messages of {topic} read again by {service}")
    if not done.complete:
        why = f"stopped itself: {done.stopped}" if done.stopped else "ended before it had read everything"
        fail(f"{service} {why}: see {done.log}; `--name {done.name}` goes on", code=1)


@contextmanager
def _shown(wanted: Order) -> Iterator[replaying.Progress]:
    """A bar on a terminal, else a line for each tenth."""
    if not sys.stderr.isatty():
        yield _lines(wanted)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{wanted.service.name} reads {wanted.topic.name}", total=None)
        yield lambda read, whole: bar.update(task, completed=read, total=whole)


def _lines(wanted: Order) -> replaying.Progress:
    due = 0.0

    def tell(read: int, whole: int) -> None:
        nonlocal due
        if not whole or read / whole >= due:
            say(f"{wanted.service.name} has read {read} of {whole} messages of {wanted.topic.name} again")
            due = (read / whole if whole else 0.0) + _STEP

    return tell
