"""`tidemark status`: health, lag, rates and memory of every part."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.options import AsJson, Data
from cli.printing import bytes_text, data_directory, fail, seconds_text
from cli.tables import show_table
from services.embedded.control_client import ControlClient, NotRunningError
from services.shared.breaker import Marker

_COLOURS = {"ready": "green", "starting": "yellow", "waiting": "yellow", "crash loop": "red", "pausing": "red"}


def status(data: Data = None, as_json: AsJson = False) -> None:
    """Show health, lag, rates and memory of every part, and who has stopped itself.

    Exit code 1 where a part is not ready, 2 where nothing runs.
    """
    directory = data_directory(data)
    try:
        answer = ControlClient(directory).status()
    except NotRunningError as error:
        stopped = Marker.stopped(directory.root)
        if as_json:
            print(json.dumps({"running": False, "reason": str(error), "stopped": stopped}))
        else:
            _print_stopped(stopped)
        fail(str(error))
    if as_json:
        print(json.dumps({"running": True, **answer}))
    else:
        show_table(_table(answer))
        _print_stopped(answer["stopped"])
    raise typer.Exit(0 if answer["ready"] else 1)


def _print_stopped(stopped: Sequence[Mapping[str, str]]) -> None:
    for told in stopped:
        service = told["service"]
        print(f"{service} stopped itself at {told['stopped_at']}: {told['reason']}\n    → `tidemark resume {service}`")


def _table(answer: dict[str, Any]) -> Table:
    title = f"{answer['phase']} for {seconds_text(answer['uptime_seconds'])} · broker run {answer['broker_run']}"
    memory = f"{bytes_text(answer['memory_bytes'])} in all · page {answer['console']} · data {answer['data']}"
    table = Table(title=title, caption=escape(memory), title_justify="left", caption_justify="left")
    for column in ("part", "state", "pid", "port", "up", "restarts", "lag", "messages/s", "memory", "reason"):
        table.add_column(column, justify="left" if column in ("part", "state", "reason") else "right")
    for part in answer["parts"]:
        table.add_row(*_row(part))
    return table


def _row(part: dict[str, Any]) -> list[str]:
    colour = _COLOURS.get(part["state"], "yellow")
    rate = part["per_second"]
    return [
        part["name"],
        f"[{colour}]{part['state']}[/{colour}]",
        str(part["pid"] or ""),
        str(part["port"]),
        seconds_text(part["uptime_seconds"]),
        str(part["restarts"] or ""),
        "" if part["lag"] is None else f"{part['lag']:,}",
        "" if rate is None else f"{rate:,.1f}",
        bytes_text(part["memory_bytes"]),
        "" if part["ready"] else escape((part["reason"] or "")[:60]),
    ]
