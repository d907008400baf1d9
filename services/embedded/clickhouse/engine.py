"""The engine in this process: one directory, and a session of its own for every request."""

import asyncio
import os
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import chdb

from services.embedded.clickhouse.request import Request
from services.embedded.clickhouse.rights import FILES_DATABASE, USERS
from services.embedded.clickhouse.statement import Refused

_CODE = re.compile(r"Code: (\d+)\.")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
UNKNOWN_EXCEPTION = 1002
# A laptop's share: the rest of the memory belongs to the services.
MEMORY_BYTES = 1_500_000_000
QUERY_BYTES = 1_000_000_000
# Syncing a part before its insert is acknowledged is what survives a power cut. Small caches, pools and buffers: a
# merge has such a block for every column, and a hundred old parts would be removed by as many threads, which then
# stay. With so few threads, merges would never be large without the last three.
_SERVER = f"""<clickhouse>
  <timezone>UTC</timezone>
  <max_server_memory_usage>{MEMORY_BYTES}</max_server_memory_usage>
  <mark_cache_size>33554432</mark_cache_size>
  <index_mark_cache_size>8388608</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <query_condition_cache_size>8388608</query_condition_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <max_compress_block_size>262144</max_compress_block_size>
    <concurrent_part_removal_threshold>1000000</concurrent_part_removal_threshold>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
"""
# The views set the last one; a session that has it already may read them in read-only mode, which allows no change.
DEFAULTS = {
    "max_threads": "2",
    "insert_deduplicate": "0",
    "deduplicate_insert": "disable",
    "async_insert": "0",
    "do_not_merge_across_partitions_select_final": "1",
}


class EngineError(Exception):
    """What the engine refused, with ClickHouse's own code."""

    def __init__(self, text: str) -> None:
        super().__init__(text[max(text.find("Code: "), 0) :])
        found = _CODE.search(text)
        self.code = int(found[1]) if found else UNKNOWN_EXCEPTION


@dataclass(frozen=True)
class Limits:
    """The most that one request may take; a client may ask for less, never for more. 0 is no limit."""

    seconds: int
    memory_bytes: int = QUERY_BYTES
    result_rows: int = 0
    result_bytes: int = 0

    def settings(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The client's settings, cut down to the limits; raises `Refused` for a limit that is no number."""
        own = {
            "max_execution_time": self.seconds,
            "max_memory_usage": self.memory_bytes,
            "max_result_rows": self.result_rows,
            "max_result_bytes": self.result_bytes,
        }
        cut = {name: str(_least(asked.get(name), most)) for name, most in own.items() if most}
        return {**DEFAULTS, **asked, **cut}


WRITING = Limits(seconds=60)
READING = Limits(seconds=30, result_rows=1_000_000, result_bytes=200_000_000)


@dataclass(frozen=True)
class Answer:
    """The result in the format asked for, and what it took."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_ns: int = 0

    @property
    def summary(self) -> dict[str, str]:
        """`X-ClickHouse-Summary`; how many rows the result has is not known, since it is not decoded here."""
        counts = {name: str(value) for name, value in vars(self).items() if name != "body"}
        return {**counts, "total_rows_to_read": "0", "result_bytes": str(len(self.body))}


class Engine:
    """The tables in one directory, which one process may hold.

    Order: what writes runs in one thread, in the order it came; what reads, in two others beside it. A setting or
    `USE` of a request ends with it: each has a session of its own (under a millisecond). An insert that returned
    survives kill -9 and power loss; one that failed has left nothing behind.
    """

    def __init__(self, folder: Path) -> None:
        self._address = f"{folder / 'store'}?config-file={folder / 'server.xml'}"
        _configure(folder)
        # The engine ends with its last connection: this one is never used and lives as long as the process.
        self._anchor: Any = chdb.connect(self._address)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="read")

    async def run(self, request: Request, limits: Limits, *, read_only: bool) -> Answer:
        """Run a request; raises `EngineError`, `Refused`. A caller that gives up does not stop what has begun."""
        pool = self._readers if read_only or request.statement.reads else self._writer
        return await asyncio.get_running_loop().run_in_executor(pool, self._run, request, limits, read_only)

    def close(self) -> None:
        """Wait for what runs, and let go of the directory."""
        self._writer.shutdown(cancel_futures=True)
        self._readers.shutdown(cancel_futures=True)
        self._anchor.close()

    def _run(self, request: Request, limits: Limits, read_only: bool) -> Answer:
        started = time.perf_counter_ns()
        settings = limits.settings(request.settings) | ({"readonly": "1"} if read_only else {})
        with self._session(request.database, settings) as session:
            answer = _insert(session, request) if request.statement.data is not None else _query(session, request)
        return replace(answer, elapsed_ns=time.perf_counter_ns() - started)

    @contextmanager
    def _session(self, database: str, settings: Mapping[str, str]) -> Iterator[Any]:
        session = chdb.connect(self._address)
        try:
            if database:
                session.query(f"USE {identifier(database)}")
            session.query(
                "SET " + ", ".join(f"{_setting(name)} = {literal(value)}" for name, value in settings.items())
            )
            yield session
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        finally:
            session.close()


def _configure(folder: Path) -> None:
    store, config, users = folder / "store", folder / "server.xml", folder / "users.xml"
    if not (store / "metadata" / "default").exists():
        # The engine makes the plain `default`, without which no session begins, only where one with a table has been.
        config.write_text(_SERVER)
        with closing(chdb.connect(f"{store}?config-file={config}")) as first:
            first.query("CREATE TABLE default.first (a Int8) ENGINE = Memory")
            first.query("DROP TABLE default.first SYNC")
    users.write_text(USERS)
    rights = f"<users_config>{users}</users_config><default_database>{FILES_DATABASE}</default_database>"
    config.write_text(_SERVER.replace("</clickhouse>", f"  {rights}\n</clickhouse>"))


def _query(session: Any, request: Request) -> Answer:
    result = session.query(request.statement.sql, request.format, params=dict(request.values))
    body = result.bytes() or b""
    return Answer(body, result.rows_read(), result.bytes_read(), result.rows_written(), result.bytes_written())


def _insert(session: Any, request: Request) -> Answer:
    # Out of a file that has no name and lies in memory alone. The engine's own streaming (`send_insert`) tells of
    # success where the table refused the rows: a full disk, too many parts, a broken constraint.
    descriptor = os.memfd_create("insert")
    with os.fdopen(descriptor, "wb") as rows:
        rows.write(request.statement.data or b"")
        rows.flush()
        result = session.query(request.statement.from_file(f"/proc/self/fd/{descriptor}"))
    return Answer(b"", written_rows=result.rows_written(), written_bytes=result.bytes_written())


def _least(asked: str | None, most: int) -> int:
    try:
        wanted = int(float(asked or 0))
    except ValueError:
        raise Refused(72, f"{asked!r} is no number. (CANNOT_PARSE_NUMBER)") from None
    return min(wanted, most) if wanted > 0 else most


def _setting(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Refused(115, f"Unknown setting {name!r}. (UNKNOWN_SETTING)")
    return name


def identifier(name: str) -> str:
    """A name as SQL quotes it."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def literal(text: str) -> str:
    """A text as SQL quotes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
