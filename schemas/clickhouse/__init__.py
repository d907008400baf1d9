"""ClickHouse's tables: numbered, forward-only migrations, and what applies them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

FOLDER = Path(__file__).parent
# Only the ledger of the migrations is made before the first of them.
LEDGER = """
CREATE TABLE IF NOT EXISTS {database}.migrations {on_cluster}
(number UInt32, name String, applied_at DateTime64(3, 'UTC'))
ENGINE = {engine}(applied_at) ORDER BY number
"""


class Client(Protocol):
    """What is needed of clickhouse-connect."""

    def command(self, cmd: str) -> Any:
        """Runs a statement."""

    def query(self, query: str) -> Any:
        """Runs a query; its result has `result_rows`."""


@dataclass(frozen=True)
class Migration:
    """One step forward."""

    number: int
    name: str
    text: str

    def statements(self, names: "Names") -> Iterator[str]:
        """The statements, in order, for one database."""
        for statement in re.split(r";\s*\n", names.fill(self.text)):
            if statement.strip():
                yield statement.strip()


@dataclass(frozen=True)
class Names:
    """What the placeholders of a migration stand for.

    On a cluster: `on_cluster="ON CLUSTER main"` and `engine="ReplicatedReplacingMergeTree"`.
    """

    database: str = "tidemark"
    on_cluster: str = ""
    engine: str = "ReplacingMergeTree"

    def fill(self, text: str) -> str:
        """The text with its placeholders replaced."""
        for name, value in vars(self).items():
            text = text.replace("{" + name + "}", value)
        return text


def migrations() -> list[Migration]:
    """Every migration, in order."""
    files = sorted(FOLDER.glob("[0-9]*.sql"))
    return [Migration(int(file.name[:4]), file.stem[5:], file.read_text()) for file in files]


def pending(client: Client, names: Names) -> list[Migration]:
    """The migrations that a database has not seen; a database that is not there has seen none."""
    known = client.query(
        f"SELECT count() FROM system.tables WHERE database = '{names.database}' AND name = 'migrations'"
    )
    if not known.result_rows[0][0]:
        return migrations()
    applied = client.query(f"SELECT number FROM {names.database}.migrations FINAL").result_rows
    seen = {number for (number,) in applied}
    return [migration for migration in migrations() if migration.number not in seen]


def apply(client: Client, names: Names) -> Sequence[Migration]:
    """Applies what is pending and returns it; after a crash in the middle, the next call goes on: statements repeat."""
    client.command(f"CREATE DATABASE IF NOT EXISTS {names.database} {names.on_cluster}")
    client.command(names.fill(LEDGER))
    applied = pending(client, names)
    for migration in applied:
        for statement in migration.statements(names):
            client.command(statement)
        client.command(
            f"INSERT INTO {names.database}.migrations VALUES ({migration.number}, '{migration.name}', now64(3))"
        )
    return applied


def described(client: Client, database: str) -> str:
    """Every table and view of a database as SQL, in the order of their names: what `schema.sql` holds."""
    found = client.query(
        f"SELECT create_table_query FROM system.tables WHERE database = '{database}' ORDER BY name"
        " SETTINGS show_table_uuid_in_table_create_query_if_not_nil = 0"
    )
    formatted = [client.query(f"SELECT formatQuery({_literal(row[0])})").result_rows[0][0] for row in found.result_rows]
    return "\n".join(f"{statement.replace(f'{database}.', '')};\n" for statement in formatted)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
