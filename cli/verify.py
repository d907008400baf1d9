"""`tidemark verify`: compare a client's ledger with what is stored."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

import typer
from tidemark.settings import Settings as ClientSettings

from cli.options import AsJson, Data
from cli.outages import answered
from cli.printing import say
from services.embedded.connection import readonly_url, settings
from services.embedded.data_directory import DataDirectory
from services.shared.clickhouse import client
from services.shared.kafka import Kafka
from services.writer.comparison import compare
from services.writer.verification import Verdict, ledger_of

Ledger = Annotated[
    Path, typer.Option(help="The file of acknowledged call ids that the client wrote.", exists=True, dir_okay=False)
]
Spool = Annotated[
    list[Path] | None,
    typer.Option(
        help="A client's spool: what lies there is pending, what was refused counts as dead-lettered; repeatable.",
        show_default="TIDEMARK_SPOOL, or the client's own default",
    ),
]
Wait = Annotated[float, typer.Option(help="Seconds to wait for what is pending.")]
Url = Annotated[str | None, typer.Option(help="ClickHouse over HTTP; the running stack's read-only port by default.")]
_SHOWN = 10


def verify(
    ledger: Ledger,
    spool: Spool = None,
    wait: Wait = 0.0,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Compare the acknowledged calls with the store and its dead letters.

    Exit code 0: nothing is lost. 1: something is. 2: store or broker do not answer, or the ledger is none.
    """
    config = settings(data)
    with answered():
        with ledger.open() as lines:
            acknowledged = ledger_of(lines)
        store = client(config, url=url or readonly_url(data))
        spools = [*(spool or [ClientSettings(os.environ).spool]), DataDirectory(config.data).spool]
        verdict = asyncio.run(compare(acknowledged, store, Kafka.of(config), spools=spools, wait_seconds=wait))
    _tell(verdict, as_json=as_json)
    raise typer.Exit(1 if verdict.lost else 0)


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.counts()))
    else:
        print("\n".join(f"{name.replace('_', '-'):>14} {count:>10,}" for name, count in verdict.counts().items()))
    if verdict.lost:
        shown = ", ".join(map(str, verdict.lost_ids[:_SHOWN]))
        say(f"lost: {shown}{', …' if verdict.lost > _SHOWN else ''}")
