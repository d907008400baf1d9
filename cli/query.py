"""`tidemark query`: ask ClickHouse, read only."""

import sys
from typing import Annotated

import httpx
import typer

from cli.options import Data
from cli.printing import fail
from services.embedded.connection import readonly_url, settings
from services.shared.settings import clickhouse_url

Url = Annotated[str | None, typer.Option(help="ClickHouse over HTTP; the running stack's read-only port by default.")]
Format = Annotated[str, typer.Option("--format", help="Any of ClickHouse's formats: PrettyCompact, CSVWithNames, …")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a row.")]
Seconds = Annotated[float, typer.Option("--timeout", help="Seconds to wait for the answer.")]


def query(
    sql: Annotated[str, typer.Argument(help="For example: SELECT app, count() FROM calls GROUP BY app")],
    as_json: AsJson = False,
    form: Format = "PrettyCompactMonoBlock",
    url: Url = None,
    data: Data = None,
    timeout_seconds: Seconds = 60.0,
) -> None:
    """Ask ClickHouse, read only. Exit code 1 where the query is wrong, 2 where ClickHouse does not answer."""
    address = clickhouse_url(url) if url else readonly_url(data)
    parameters = {
        "database": settings(data).clickhouse_database,
        "default_format": "JSONEachRow" if as_json else form,
        "readonly": "1",
    }
    try:
        with httpx.stream("POST", address, params=parameters, content=sql.encode(), timeout=timeout_seconds) as answer:
            if answer.is_error:
                fail(answer.read().decode(errors="replace").strip(), code=1)
            for part in answer.iter_bytes():
                sys.stdout.buffer.write(part)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"ClickHouse does not answer: {error or type(error).__name__}")
    sys.stdout.flush()
