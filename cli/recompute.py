"""`tidemark recompute`: make windows again from the stored scores."""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.options import App, AsJson, Data, Tenant
from cli.outages import answered
from cli.progress import shown
from services.embedded.connection import settings
from services.embedded.replay_order import moment
from services.shared.clickhouse import client
from services.windower.config import Config
from services.windower.recompute import recompute as make_again
from services.windower.store import Store
from services.windower.windower import Rebuilt

Start = Annotated[str, typer.Option("--from", help="Windows that begin at this time (2026-01-31T10:00:00Z) or later.")]
End = Annotated[str, typer.Option("--to", help="And before this time.", show_default="the last that is closed")]
Interval = Annotated[
    list[int] | None, typer.Option(min=1, help="Of this length, in seconds; repeatable.", show_default="what is stored")
]


def recompute(
    start: Start,
    end: End = "",
    app: App = "",
    tenant: Tenant = "",
    interval: Interval = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make windows again from the stored scores: after a replay, or where scores came when their window was closed.

    What differs takes the place of the stored window, one generation higher; no rule fires on it. Windows that
    counted more scores than are stored stay as they are and end it with exit code 1: let the writer catch up.
    """
    config = Config(**settings(data).model_dump())
    with answered(), shown("windows are made again", "intervals") as progress:
        begin, stop = moment(start), moment(end) if end else datetime.now(UTC)
        store = Store(client(config), app, tenant)
        done = asyncio.run(make_again(store, config, begin, stop, progress, interval or ()))
    print(json.dumps(asdict(done)) if as_json else _told(done))
    raise typer.Exit(1 if done.kept else 0)


def _told(done: Rebuilt) -> str:
    kept = f"; {done.kept} kept: they counted more scores than are stored" if done.kept else ""
    return f"{done.mended} windows mended, {done.same} as they should be, from {done.scores} scores{kept}"
