"""`tidemark replay`: have a service read a topic again."""

import asyncio
import json
from signal import SIGINT
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.options import AsJson, Data
from cli.printing import fail, say
from cli.progress import shown
from services.embedded import replaying
from services.embedded.connection import settings
from services.embedded.replay_order import order

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
        goes_on = f"`--name {wanted.name}` goes on"
        say(f"replay {wanted.name}: where it is broken off, the same order with {goes_on}")
        with shown(f"{service} reads {topic} again", "messages") as progress:
            done = asyncio.run(replaying.replay(wanted, settings(data), progress))
    except ValueError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"interrupted; {goes_on}", code=128 + SIGINT)
    except (KafkaError, OSError, TimeoutError) as error:
        fail(f"the broker does not answer ({error or type(error).__name__}); {goes_on}")
    print(json.dumps(done.as_dict()) if as_json else f"{done.messages} messages of {topic} read again by {service}")
    if not done.complete:
        why = f"was stopped: {done.stopped}" if done.stopped else "ended before it had read everything"
        fail(f"{service} {why}: see {done.log}; {goes_on}", code=1)
