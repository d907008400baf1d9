"""`tidemark replay`: have a service read a topic again."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.printing import fail, say
from services.embedded import replaying
from services.embedded.connection import settings

Data = Annotated[
    Path | None, typer.Option(help="The data directory.", envvar="TIDEMARK_DATA", show_default=".tidemark")
]
Start = Annotated[str, typer.Option("--from", help="A time (2026-01-31T10:00:00Z) or an offset of every partition.")]
Service = Annotated[str, typer.Option(help="Who processes it.")]
Name = Annotated[str, typer.Option(help="The name of the replay; the same name goes on where it stopped.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def replay(
    topic: Annotated[str, typer.Argument(help="The topic, calls.v1 for example.")],
    start: Start,
    service: Service,
    name: Name = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Have a service read a topic again, under a group of its own, up to what is there when this starts.

    What it emits is marked and causes no action. Exit code 1 where the service did not get to the end.
    """
    try:
        order = replaying.order(topic, start, service, name)
        done = asyncio.run(replaying.replay(order, settings(data), say))
    except ValueError as error:
        fail(str(error))
    except (KafkaError, OSError, TimeoutError) as error:
        fail(f"the broker does not answer ({error or type(error).__name__})")
    print(json.dumps(done.as_dict()) if as_json else f"{done.messages} messages of {topic} read again by {service}")
    if not done.complete:
        fail(f"{service} ended before it had read everything: see {done.log}", code=1)
