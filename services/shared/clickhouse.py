"""A client of ClickHouse over HTTP, one for each thread."""

from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from services.shared.settings import SharedSettings, clickhouse_url

# A retry with the same deduplication token can succeed and store nothing, and 26.9 turns both on by default.
INSERT_SETTINGS: dict[str, Any] = {"insert_deduplicate": 0, "async_insert": 0}
# In newer servers this one decides, whatever `insert_deduplicate` says; older ones refuse what they do not know.
NEWER_INSERT_SETTINGS: dict[str, Any] = {"deduplicate_insert": "disable"}
ANSWER_SECONDS = 30


def client(config: SharedSettings, *, database: str | None = None, url: str | None = None) -> Client:
    """A client for the calling thread; every insert through it is synchronous and not deduplicated.

    `database` is the deployment's unless given; "" names none, to make it. Raises `WrongSettings` where `url` cannot be
    read.
    """
    parts = urlsplit(clickhouse_url(url) if url else config.clickhouse_url)
    made = clickhouse_connect.get_client(
        host=parts.hostname or "127.0.0.1",
        port=parts.port,
        secure=parts.scheme == "https",
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=config.clickhouse_database if database is None else database or "default",
        settings=INSERT_SETTINGS,
        connect_timeout=5,
        send_receive_timeout=ANSWER_SECONDS,
        autogenerate_session_id=False,
    )
    for name, value in NEWER_INSERT_SETTINGS.items():
        if name in made.server_settings:
            made.set_client_setting(name, value)
    return made
