"""Tables for a person; a module of its own, since rich costs the other commands a tenth of a second."""

import sys

from rich.console import Console
from rich.table import Table

_WIDTH = 160  # of what is not a terminal


def show_table(table: Table) -> None:
    """Print a table as wide as the terminal, or wide enough for what a program reads."""
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
