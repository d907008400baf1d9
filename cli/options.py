"""Options that several subcommands take."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="The data directory.", envvar="TIDEMARK_DATA", show_default=".tidemark")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
App = Annotated[str, typer.Option(help="Of this application alone.")]
Tenant = Annotated[str, typer.Option(help="Of this tenant alone.")]
