"""What one HTTP request asks of the engine, read as ClickHouse's HTTP interface reads it.

>>> insert_of(b"INSERT INTO t (a) FORMAT CSV 1")
Insert(sql='INSERT INTO t (a)', format='CSV', data=b'1')
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

# Parameters of the transport; every other one is a setting of the query, or a value for it (`param_…`).
TRANSPORT = frozenset(
    "buffer_size cancel_http_readonly_queries_on_client_close client_protocol_version compress database decompress "
    "default_format enable_http_compression http_headers_progress_interval_ms http_zlib_compression_level password "
    "query query_id quota_key role send_progress_in_http_headers session_check session_id session_timeout user "
    "wait_end_of_query".split()
)
_COLUMNS = rb"\s*(?:\((?:`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|[^()`\"]|\([^()]*\))*\))?"
_NAME = rb"(?:`[^`]*`|\"[^\"]*\"|[\w.])+"
_INSERT = re.compile(
    rb"\s*(?P<head>INSERT\s+INTO\s+(?:TABLE\s+)?(?:FUNCTION\s+\w+\s*\([^()]*\)|"
    + _NAME
    + rb")"
    + _COLUMNS
    + rb"(?:\s*SETTINGS\s+[^;]*?)?)\s*FORMAT\s+(?P<format>\w+)[ \t]*(?:\r?\n)?",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^;]*)?;?\s*$", re.IGNORECASE)
INLINE_FORMATS = frozenset({"values"})


class Insert(NamedTuple):
    """An INSERT with its data: `sql` has no FORMAT clause."""

    sql: str
    format: str
    data: bytes


@dataclass(frozen=True)
class Request:
    """One request: what to run, in which database, with which settings and values, and the format of the answer."""

    text: bytes
    database: str
    settings: Mapping[str, str]
    values: Mapping[str, str]
    format: str

    @property
    def insert(self) -> Insert | None:
        """The INSERT with data that this is; None for any other statement."""
        return insert_of(self.text)


def request_of(parameters: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Request:
    """The request in URL parameters, headers and decompressed body.

    The query is the parameter `query` with the body behind it, or the body alone.
    """
    query = parameters.get("query", "").encode()
    text = query + b"\n" + body if query else body
    return Request(
        text=text,
        database=parameters.get("database") or headers.get("x-clickhouse-database", ""),
        settings={name: value for name, value in parameters.items() if _is_setting(name)},
        values={name[6:]: value for name, value in parameters.items() if name.startswith("param_")},
        format=_output_format(text, parameters, headers),
    )


def insert_of(text: bytes) -> Insert | None:
    """The INSERT with data in `text`, split after its FORMAT clause; None where the engine can run it as it is."""
    match = _INSERT.match(text)
    if match is None or match["format"].lower().decode() in INLINE_FORMATS:
        return None
    return Insert(match["head"].decode().strip(), match["format"].decode(), text[match.end() :])


def _output_format(text: bytes, parameters: Mapping[str, str], headers: Mapping[str, str]) -> str:
    written = _FORMAT.search(text[-1000:].decode(errors="replace"))
    if written:
        return written[1]
    return headers.get("x-clickhouse-format") or parameters.get("default_format") or "TabSeparated"


def _is_setting(name: str) -> bool:
    return name not in TRANSPORT and not name.startswith("param_")
