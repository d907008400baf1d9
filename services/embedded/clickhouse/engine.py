"""The engine in this process: one connection that may write, one that may only read, a worker thread each."""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from services.embedded.clickhouse.statement import Insert, Request

_CODE = re.compile(r"Code: (\d+)\. ")
_NAME = re.compile(r"\w+")
UNKNOWN_EXCEPTION = 1002
SYNTAX_ERROR = 62
# A laptop's share: the rest of the memory belongs to the services.
MEMORY_BYTES = 1_500_000_000
LIMITS = {
    "max_memory_usage": str(MEMORY_BYTES),
    "max_execution_time": "60",
    "max_threads": "2",
    "insert_deduplicate": "0",
    "async_insert": "0",
}
READ_ONLY_LIMITS = {**LIMITS, "max_execution_time": "30", "max_result_bytes": "200000000"}


class EngineError(Exception):
    """What the engine refused, with ClickHouse's own code."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = _CODE.search(text)
        self.code = int(found[1]) if found else UNKNOWN_EXCEPTION


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
        """`X-ClickHouse-Summary`."""
        return {
            "read_rows": str(self.read_rows),
            "read_bytes": str(self.read_bytes),
            "written_rows": str(self.written_rows),
            "written_bytes": str(self.written_bytes),
            "total_rows_to_read": "0",
            "result_rows": str(self.read_rows),
            "result_bytes": str(len(self.body)),
            "elapsed_ns": str(self.elapsed_ns),
        }


class Connection:
    """One session of the engine: requests run one after another in a thread of its own, in the order they came.

    Settings of a request end with it.
    """

    def __init__(self, path: Path, limits: Mapping[str, str], *, read_only: bool) -> None:
        self._session: Any = chdb.connect(str(path))
        self._limits = limits
        self._database = "default"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read" if read_only else "write")
        for name, value in limits.items():
            self._session.query(f"SET {name} = {value}")
        if read_only:
            self._session.query("SET readonly = 1")

    async def run(self, request: Request) -> Answer:
        """Runs a request; raises `EngineError`. A caller that gives up does not stop what has begun."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, request)

    def close(self) -> None:
        """Waits for what runs, and closes."""
        self._thread.shutdown(cancel_futures=True)
        self._session.close()

    def _run(self, request: Request) -> Answer:
        started = time.perf_counter_ns()
        try:
            with self._settings(request.settings):
                self._use(request.database or "default")
                answer = self._insert(request.insert) if request.insert else self._query(request)
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        except UnicodeDecodeError as error:
            raise EngineError(f"Code: {SYNTAX_ERROR}. DB::Exception: the query is not UTF-8: {error}") from error
        return Answer(**{**vars(answer), "elapsed_ns": time.perf_counter_ns() - started})

    def _query(self, request: Request) -> Answer:
        result = self._session.query(request.text.decode(), request.format, params=dict(request.values))
        body = result.bytes() or b""
        return Answer(body, read_rows=result.rows_read(), read_bytes=result.bytes_read())

    def _insert(self, insert: Insert) -> Answer:
        # Streamed into the engine: no payload ever lies in a temporary file.
        with self._session.send_insert(insert.sql, insert.format) as inserter:
            inserter.append(insert.data)
            result = inserter.finish()
        return Answer(b"", written_rows=result.rows_written, written_bytes=result.bytes_written)

    def _use(self, database: str) -> None:
        if database != self._database:
            self._session.query(f"USE {identifier(database)}")
            self._database = database

    @contextmanager
    def _settings(self, settings: Mapping[str, str]) -> Iterator[None]:
        changed: list[str] = []
        try:
            for name, value in settings.items():
                if not _NAME.fullmatch(name):
                    raise EngineError(f"Code: {SYNTAX_ERROR}. DB::Exception: {name!r} is not the name of a setting.")
                self._session.query(f"SET {name} = {literal(value)}")
                changed.append(name)
            yield
        finally:
            self._restore(changed)

    def _restore(self, names: Sequence[str]) -> None:
        for name in names:
            self._session.query(f"SET {name} = {self._limits.get(name, 'DEFAULT')}")


def identifier(name: str) -> str:
    """A name as SQL quotes it."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def literal(text: str) -> str:
    """A text as SQL quotes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
