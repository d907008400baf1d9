"""What storing scores and embeddings costs: the writer's columns, beside row lists, on the embedded engine over HTTP.

`value` is rows per second from messages to an acknowledged insert, 10,000 a batch. `peer` inserts the same rows as
lists (scores) or numpy rows (embeddings) through the same client; `limit` inserts Arrow tables that are ready made.
Contenders take turns; the median counts: `python -m benchmarks.writer_insert`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
from clickhouse_connect.driver.client import Client

from schemas import clickhouse
from schemas.ids import embedding_id, score_id, uuid7
from schemas.messages import Embedding, Score, Segment
from services.embedded.services import Ports
from services.shared.clickhouse import client
from services.shared.settings import SharedSettings
from services.writer.column import Table
from services.writer.writer import EMBEDDINGS, SCORES

ROWS, RUNS, PORT_BASE, DIMENSION = 10_000, 7, 23_700, 384
SEGMENT = Segment(tenant="t", app="a", environment="production", version="v1")
START = datetime(2026, 1, 5, tzinfo=UTC)


def scores() -> list[Score]:
    """One metric of as many calls."""
    return [
        Score(
            score_id=score_id(call_id, "toxicity", "builtin", "1"), call_id=call_id, segment=SEGMENT,
            called_at=START + timedelta(milliseconds=number), metric="toxicity", status="scored", value=number / ROWS,
            label=False, evaluator="builtin", evaluator_version="1", groups={"region": "eu"},
        )
        for number, call_id in enumerate(uuid7() for _ in range(ROWS))
    ]  # fmt: skip


def embeddings() -> list[Embedding]:
    """Unit vectors of as many calls."""
    vectors = np.random.default_rng(0).normal(size=(ROWS, DIMENSION)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Embedding(
            embedding_id=embedding_id(call_id, "prompt", "minilm", "1"), call_id=call_id, segment=SEGMENT,
            called_at=START + timedelta(milliseconds=number), field="prompt", encoder="minilm", encoder_version="1",
            dimension=DIMENSION, vector=vectors[number].tobytes(),
        )
        for number, call_id in enumerate(uuid7() for _ in range(ROWS))
    ]  # fmt: skip


def as_row(table: Table, message: Any, version: int) -> list[Any]:
    """What a row-wise writer would hand over."""
    return [*(_plain(column.value(message)) for column in table.columns), version]


def _plain(value: Any) -> Any:
    return np.frombuffer(value, "<f4") if isinstance(value, bytes) else value


def measure(connected: Client, table: Table, messages: Sequence[Any]) -> dict[str, float]:
    """Rows per second of each contender."""
    ready = table.arrow(messages)
    versions = ready["row_version"].to_pylist()  # ready made for the peer, which gains by that

    def by_rows() -> None:
        rows = [as_row(table, *each) for each in zip(messages, versions, strict=True)]
        connected.insert(table.rows, rows, column_names=ready.column_names)

    contenders: dict[str, Callable[[], object]] = {
        "value": lambda: connected.insert_arrow(table.rows, table.arrow(messages)),
        "peer": by_rows,
        "limit": lambda: connected.insert_arrow(table.rows, ready),
    }
    runs: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, work in contenders.items():
            started = time.perf_counter()
            work()
            runs[name].append(ROWS / (time.perf_counter() - started))
    return {name: statistics.median(rates) for name, rates in runs.items()}


def stored_bytes(connected: Client, table: Table) -> float:
    """Bytes on disk for one row, merged."""
    connected.command(f"OPTIMIZE TABLE {table.rows} FINAL")
    found = connected.query(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND table = {name:String}",
        {"name": table.rows},
    )
    return float(found.result_rows[0][0])


def main() -> None:
    """Measures and prints one JSON object."""
    ports = Ports(PORT_BASE)
    url = f"http://127.0.0.1:{ports.clickhouse}"
    with tempfile.TemporaryDirectory() as folder:
        told = {"TIDEMARK_DATA": folder, "TIDEMARK_EMBEDDED_PORT_BASE": str(PORT_BASE)}
        engine = subprocess.Popen([sys.executable, "-m", "services.embedded.clickhouse"], env={**os.environ, **told})
        try:
            wait(url)
            clickhouse.apply(client(SharedSettings(), database="", url=url), clickhouse.Names())
            connected = client(SharedSettings(), url=url)
            found = {table.name: measure(connected, table, made) for table, made in _cases()}
            sizes = {table.name: round(stored_bytes(connected, table)) for table in (SCORES, EMBEDDINGS)}
        finally:
            engine.terminate()
            engine.wait(30)
    print(json.dumps(report(found, sizes)))


def _cases() -> list[tuple[Table, Sequence[Any]]]:
    return [(SCORES, scores()), (EMBEDDINGS, embeddings())]


def report(found: dict[str, dict[str, float]], sizes: dict[str, int]) -> dict[str, Any]:
    """The scores first, the embeddings beside them."""
    rates = {name: {key: round(rate) for key, rate in each.items()} for name, each in found.items()}
    ratios = {name: round(each["value"] / each["peer"], 2) for name, each in found.items()}
    shares = {name: round(each["value"] / each["limit"], 2) for name, each in found.items()}
    return {
        "name": "scores stored, 10,000 a batch", **rates["scores"], "unit": "rows/s", "ratio": ratios["scores"],
        "share_of_limit": shares["scores"], "bytes_a_row": sizes["scores"],
        "embeddings": {
            **rates["embeddings"], "ratio": ratios["embeddings"], "share_of_limit": shares["embeddings"],
            "bytes_a_row": sizes["embeddings"],
        },
        "runs": RUNS,
    }  # fmt: skip


def wait(url: str) -> None:
    """Until the engine answers, half a minute at most."""
    for _ in range(300):
        try:
            if httpx.get(f"{url}/ping").is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(url)


if __name__ == "__main__":
    main()
