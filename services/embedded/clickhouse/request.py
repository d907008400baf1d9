"""What one HTTP request asks of the engine, read as ClickHouse's HTTP interface reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.embedded.clickhouse.statement import Statement, verify_setting

# Parameters of the transport; every other one is a setting of the query, or a value for it (`param_…`).
TRANSPORT = frozenset(
    "buffer_size cancel_http_readonly_queries_on_client_close client_protocol_version compress database decompress "
    "default_format enable_http_compression http_headers_progress_interval_ms http_zlib_compression_level password "
    "query query_id quota_key role send_progress_in_http_headers session_check session_id session_timeout user "
    "wait_end_of_query".split()
)


@dataclass(frozen=True)
class Request:
    """One request: what to run, in which database, with which settings and values, and the format of the answer."""

    statement: Statement
    database: str
    settings: Mapping[str, str]
    values: Mapping[str, str]
    format: str


def request_of(parameters: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Request:
    """The request in URL parameters, headers and decompressed body; raises `Refused`.

    The query is the parameter `query` with the body behind it, or the body alone.
    """
    query = parameters.get("query", "").encode()
    statement = Statement.of(query + b"\n" + body if query else body)
    for name in parameters:
        verify_setting(name)
    asked = headers.get("x-clickhouse-format") or parameters.get("default_format")
    return Request(
        statement=statement,
        database=parameters.get("database") or headers.get("x-clickhouse-database", ""),
        settings={name: value for name, value in parameters.items() if _is_setting(name)},
        values={name[6:]: value for name, value in parameters.items() if name.startswith("param_")},
        format=statement.format or asked or "TabSeparated",
    )


def _is_setting(name: str) -> bool:
    return name not in TRANSPORT and not name.startswith("param_")
