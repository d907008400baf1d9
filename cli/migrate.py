"""`tidemark migrate`: bring ClickHouse's tables up to date."""

import json
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import Error

from cli.options import AsJson, Data
from cli.printing import fail
from schemas.clickhouse import Names, apply, pending
from services.embedded.connection import settings
from services.shared.clickhouse import client

Url = Annotated[str | None, typer.Option(help="ClickHouse over HTTP; the running stack's by default.")]
Cluster = Annotated[str, typer.Option(help="Make replicated tables on this cluster.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would be applied.")]


def migrate(
    url: Url = None, cluster: Cluster = "", dry_run: DryRun = False, data: Data = None, as_json: AsJson = False
) -> None:
    """Bring ClickHouse's tables up to date; what is there already stays, and a second run does nothing."""
    config = settings(data)
    names = _names(config.clickhouse_database, cluster)
    try:
        connected = client(config, database="", url=url)
        steps = pending(connected, names) if dry_run else apply(connected, names)
    except (Error, OSError) as error:
        fail(f"ClickHouse does not take the tables: {error}")
    if as_json:
        print(json.dumps({"applied": not dry_run, "migrations": [f"{step.number:04d}_{step.name}" for step in steps]}))
        return
    for step in steps:
        print(f"{step.number:04d} {step.name}")
    print(f"{len(steps)} {'to apply' if dry_run else 'applied'}")


def _names(database: str, cluster: str) -> Names:
    if not cluster:
        return Names(database=database)
    return Names(database=database, on_cluster=f"ON CLUSTER '{cluster}'", engine="ReplicatedReplacingMergeTree")
