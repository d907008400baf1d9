"""How far something long has come: a bar on a terminal, else a line for each tenth."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.printing import say

Shown = Callable[[int, int], None]
_STEP = 0.1  # of the whole


@contextmanager
def shown(what: str, things: str) -> Iterator[Shown]:
    """Something to be told how many of how many `things` are done; `what` says who does what with them."""
    if not sys.stderr.isatty():
        yield _lines(what, things)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def _lines(what: str, things: str) -> Shown:
    due = 0.0

    def tell(done: int, whole: int) -> None:
        nonlocal due
        if not whole or done / whole >= due:
            say(f"{what}: {done} of {whole} {things}")
            due = (done / whole if whole else 0.0) + _STEP

    return tell
