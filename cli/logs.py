"""`tidemark logs`: what the parts wrote."""

import time
from typing import Annotated

import typer

from cli.options import Data
from cli.printing import data_directory, fail
from services.embedded.log_files import Follower, last_lines

Parts = Annotated[list[str] | None, typer.Argument(help="Services, broker, clickhouse or supervisor; all by default.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes.")]
Lines = Annotated[int, typer.Option("-n", "--lines", min=0, help="How many lines of each.")]
_LOOK_SECONDS = 0.3


def logs(parts: Parts = None, follow: Follow = False, lines: Lines = 20, data: Data = None) -> None:
    """Show the last lines of each part's log, or follow them."""
    directory = data_directory(data)
    there = {path.stem: path for path in sorted(directory.logs.glob("*.log"))}
    chosen = parts or list(there)
    if unknown := [name for name in chosen if name not in there]:
        fail(f"no log of {', '.join(unknown)} in {directory.logs}; there are {', '.join(there) or 'none'}")
    followers = {name: Follower(there[name]) for name in chosen}
    width = max(map(len, chosen), default=0)
    for name in chosen:
        for line in last_lines(there[name], lines):
            print(f"{name:<{width}}  {line}")
    while follow:
        for name, follower in followers.items():
            for line in follower.fresh():
                print(f"{name:<{width}}  {line}", flush=True)
        time.sleep(_LOOK_SECONDS)
