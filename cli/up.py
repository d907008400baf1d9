"""`tidemark up`: start the embedded stack."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import Data, PortBase
from cli.printing import address_book, fail, say
from services.embedded import app, launch
from services.embedded.broker import BrokerError
from services.embedded.config import Config
from services.embedded.control_client import ControlClient
from services.embedded.data_directory import AlreadyRunningError
from services.embedded.journal import Journal
from services.embedded.kafka.jars import KafkaMissingError
from services.embedded.occupants import occupant, taken
from services.embedded.plan import Plan, plan
from services.embedded.preparation import PreparationError
from services.embedded.supervisor import COMPLETE

BrokerKind = Annotated[
    Literal["tansu", "kafka"] | None,
    typer.Option("--broker", help="With its log in memory, or on disk.", show_default="what the data has, or tansu"),
]
Setting = Annotated[list[str] | None, typer.Option("--set", help="TIDEMARK_NAME=value, for any service; repeatable.")]
Without = Annotated[list[str] | None, typer.Option(help="A service that is not started; repeatable.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return when everything runs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object when everything runs.")]
_LONGEST_START_SECONDS = 900


def up(
    data: Data = None,
    port_base: PortBase = None,
    broker: BrokerKind = None,
    setting: Setting = None,
    without: Without = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Start the embedded stack: broker, ClickHouse and every service. Ctrl-C stops it."""
    _settle(data, port_base, broker, setting or [], without or [])
    try:
        planned = plan(Config(), os.environ, tell=say)
    except (ValueError, OSError, KafkaMissingError) as error:
        fail(str(error))
    if ControlClient(planned.data).running:
        fail(f"it runs already on {planned.data.root}: `tidemark status` shows it, `tidemark down` stops it")
    if ports := taken(planned.ports.all()):
        listed = "\n".join(f"  {port} ({name}): {occupant(port)}" for name, port in ports.items())
        fail(f"these ports are taken:\n{listed}\nstop who listens there, or use --port-base")
    (_in_background if detach else _in_foreground)(planned, as_json)


def _settle(
    data: Path | None, port_base: int | None, broker: str | None, settings: list[str], without: list[str]
) -> None:
    """What the command line says becomes environment: the one place that settings are read from."""
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator:
            fail(f"--set {setting}: write it as TIDEMARK_NAME=value")
        os.environ[name] = value
    if data is not None:
        os.environ["TIDEMARK_DATA"] = str(data)
    if port_base is not None:
        os.environ["TIDEMARK_EMBEDDED_PORT_BASE"] = str(port_base)
    if broker is not None:
        os.environ["TIDEMARK_EMBEDDED_BROKER"] = broker
    if without:
        os.environ["TIDEMARK_EMBEDDED_WITHOUT"] = ",".join(without)


def _in_foreground(planned: Plan, as_json: bool) -> None:
    journal = Journal(planned.data.log("supervisor"))

    def tell(sentence: str) -> None:
        journal(sentence)
        with suppress(OSError):  # the terminal may be gone: the stack goes on without it
            if not as_json:
                say(sentence)
            if sentence == COMPLETE:
                print(json.dumps(address_book(planned)) if as_json else _welcome(planned), flush=True)

    try:
        app.run(planned, tell)
    except (AlreadyRunningError, BrokerError, PreparationError) as error:
        fail(str(error))


def _in_background(planned: Plan, as_json: bool) -> None:
    process = launch.detach(planned)
    if not launch.until_complete(planned, process, _LONGEST_START_SECONDS):
        fail(f"it did not start: see {planned.data.log('supervisor')}, or ask `tidemark doctor`")
    status = ControlClient(planned.data).status()
    print(json.dumps(address_book(planned) | {"ready": status["ready"]}) if as_json else _welcome(planned))
    if sick := [part["name"] for part in status["parts"] if not part["ready"]]:
        say(f"not ready: {', '.join(sick)}; `tidemark doctor` explains")
        raise typer.Exit(1)


def _welcome(planned: Plan) -> str:
    addresses = address_book(planned)
    return (
        f"\nTidemark runs.\n  page     {addresses['console']}\n  gateway  {addresses['gateway']}\n"
        f"  API key  {addresses['api_key_file']}\n  stop it  Ctrl-C, or `tidemark down`\n"
    )
