"""Which broker and ClickHouse a command speaks to."""

import os
from pathlib import Path

from services.embedded.data_directory import DataDirectory
from services.embedded.services import Ports
from services.shared.settings import SharedSettings

PORT_BASE = 8700


def settings(data: Path | None = None) -> SharedSettings:
    """The shared settings: the environment's, and where it is silent, those of the stack that runs on `data`.

    So a command finds a stack on other ports by its data directory alone.
    """
    given = SharedSettings() if data is None else SharedSettings(data=data)
    directory = DataDirectory(given.data)
    running = directory.description() if directory.in_use() else {}
    if not running:
        return given
    ports = Ports(running["port_base"])
    found = {
        "kafka_bootstrap": f"127.0.0.1:{ports.broker}",
        "clickhouse_url": f"http://127.0.0.1:{ports.clickhouse}",
        "registry_url": f"http://127.0.0.1:{ports.base + 2}",
    }
    silent = {name: value for name, value in found.items() if not os.environ.get(f"TIDEMARK_{name.upper()}")}
    return given.model_copy(update=silent)


def readonly_url(data: Path | None = None) -> str:
    """ClickHouse for reading: the read-only port of the stack that runs on `data`, else what the environment names."""
    given = SharedSettings() if data is None else SharedSettings(data=data)
    directory = DataDirectory(given.data)
    running = directory.description() if directory.in_use() else {}
    if os.environ.get("TIDEMARK_CLICKHOUSE_URL"):
        return given.clickhouse_url
    return f"http://127.0.0.1:{Ports(running.get('port_base', PORT_BASE)).clickhouse_readonly}"


def gateway_url(data: Path | None = None) -> str:
    """The gateway of the stack that runs on `data`, else where one is by default."""
    directory = DataDirectory((SharedSettings() if data is None else SharedSettings(data=data)).data)
    running = directory.description() if directory.in_use() else {}
    return f"http://127.0.0.1:{running.get('port_base', PORT_BASE)}"
