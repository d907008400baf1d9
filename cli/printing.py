"""How the subcommands print and end."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import typer

from services.embedded.config import Config
from services.embedded.data_directory import DataDirectory
from services.embedded.plan import Plan


def say(sentence: str) -> None:
    """Tell the person at the terminal; never mixed with what a program reads."""
    print(sentence, file=sys.stderr, flush=True)


def fail(reason: str, code: int = 2) -> NoReturn:
    """Say why it is not possible and end: 2 for a wrong use or something out of reach."""
    say(f"tidemark: {reason}")
    raise typer.Exit(code)


def data_directory(given: Path | None) -> DataDirectory:
    """The data directory that the option or the environment names."""
    return DataDirectory(given if given is not None else Config().data)


def address_book(planned: Plan) -> dict[str, Any]:
    """Where a run is reached, for people and programs."""
    local = "http://127.0.0.1"
    return {
        "console": f"{local}:{planned.ports.base + 1}",
        "gateway": f"{local}:{planned.ports.base}",
        "registry": f"{local}:{planned.ports.base + 2}",
        "clickhouse": planned.clickhouse_url,
        "clickhouse_readonly": f"{local}:{planned.ports.clickhouse_readonly}",
        "bootstrap": planned.bootstrap,
        "control": planned.control_url,
        "data": str(planned.data.root),
        "api_key_file": str(planned.data.api_key_file),
        "port_base": planned.ports.base,
    }


def bytes_text(count: int | None) -> str:
    """Bytes as a person reads them.

    >>> bytes_text(None), bytes_text(5 * 1024 * 1024)
    ('', '5 MiB')
    """
    return "" if count is None else f"{count / 2**20:,.0f} MiB"


def seconds_text(seconds: float | None) -> str:
    """Seconds as a person reads them.

    >>> seconds_text(None), seconds_text(59.4), seconds_text(3700)
    ('', '59 s', '1 h 1 min')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
