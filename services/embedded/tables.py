"""Brings the tables up to date in a process that ends: `python -m services.embedded.tables`.

The supervisor lives long and needs no ClickHouse client in its memory.
"""

import sys

from clickhouse_connect.driver.exceptions import Error

from schemas.clickhouse import Names, apply
from services.shared.clickhouse import client
from services.shared.settings import SharedSettings


def main() -> int:
    """Apply what is pending to the ClickHouse that the environment names; the exit code."""
    config = SharedSettings()
    try:
        applied = apply(client(config, database=""), Names(database=config.clickhouse_database))
    except Error as error:
        sys.stderr.write(f"tables: {error}\n")
        return 1
    sys.stdout.write(f"tables: {len(applied)} migrations applied\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
