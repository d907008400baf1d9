"""Options that several subcommands take."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="The data directory.", envvar="TIDEMARK_DATA", show_default=".tidemark")
]
PortBase = Annotated[int | None, typer.Option(min=1024, max=65_000, help="The first port.", show_default="8700")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
App = Annotated[str, typer.Option(help="Of this application alone.")]
Tenant = Annotated[str, typer.Option(help="Of this tenant alone.")]
