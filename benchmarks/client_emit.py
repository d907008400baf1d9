"""What one `emit` costs the application, beside Langfuse's and OpenTelemetry's SDK and a bare append.

Every contender runs in a process of its own, in turns, and reaches no server: what is measured is the application's
side. Each call carries the same 2 KB of prompt and response and three small values. p50 and p99 are of single calls
between two readings of the clock, whose own cost is part of every number. CPU is that of all threads, and for Tidemark
it includes encoding, masking and writing everything to the fsynced spool; for the others their export is left out.
"""

import importlib.metadata
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from services.shared import processor

RUNS, CALLS, WARM_UP = 5, 5000, 500
PROMPT, RESPONSE = "What does the second argument of open() mean? " * 22, "It is the mode in which. " * 40
IMPORTED = {"tidemark": "tidemark", "langfuse": "langfuse", "opentelemetry": "opentelemetry.sdk.trace"}
Contender = tuple[Callable[[], object], Callable[[], object]]  # emit one call; wait for what runs behind


def bare() -> Contender:
    """The least that keeps a call: the time and its fields, in a queue."""
    queue: deque[Any] = deque()

    def keep(**fields: object) -> None:
        queue.append((time.time_ns(), fields))

    return lambda: keep(
        prompt=PROMPT, response=RESPONSE, user_id="u", duration_seconds=0.5, cost_usd=0.001
    ), queue.clear


def _client(**options: Any) -> Any:
    spool = tempfile.mkdtemp()
    return import_module("tidemark").Client(
        url="http://127.0.0.1:9", version="v1", app="bench", spool=spool, poll_seconds=0, **options
    )


def tidemark(*, mask: bool = False) -> Contender:
    """`emit`, masking off or on, while the sender's thread works."""
    client = _client(mask=mask)
    return (
        lambda: client.emit(prompt=PROMPT, response=RESPONSE, user_id="u", duration_seconds=0.5, cost_usd=0.001),
        lambda: client.flush(60),
    )


def tidemark_masked() -> Contender:
    """With the built-in patterns."""
    return tidemark(mask=True)


def tidemark_context() -> Contender:
    """With three documents more, which are copied."""
    client, context = _client(mask=False), [RESPONSE] * 3
    return (
        lambda: client.emit(prompt=PROMPT, response=RESPONSE, user_id="u", duration_seconds=0.5, context=context),
        lambda: client.flush(60),
    )


def langfuse() -> Contender:
    """One generation, started and ended; nothing is exported while it is measured."""
    client = import_module("langfuse").Langfuse(
        public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", flush_at=512, flush_interval=3600
    )

    def emit() -> None:
        client.start_observation(
            name="call",
            as_type="generation",
            input=PROMPT,
            output=RESPONSE,
            metadata={"user_id": "u", "duration_seconds": 0.5},
            cost_details={"total": 0.001},
        ).end()

    return emit, lambda: None


def opentelemetry() -> Contender:
    """One span with the same attributes through the batch processor, to an exporter that throws it away."""
    export = import_module("opentelemetry.sdk.trace.export")

    class Nowhere(export.SpanExporter):  # type: ignore[name-defined,misc]
        def export(self, spans: object) -> object:  # noqa: ARG002
            return export.SpanExportResult.SUCCESS

    provider = import_module("opentelemetry.sdk.trace").TracerProvider()
    provider.add_span_processor(export.BatchSpanProcessor(Nowhere()))
    tracer = provider.get_tracer("bench")
    attributes = {"input": PROMPT, "output": RESPONSE, "user_id": "u", "duration_seconds": 0.5, "cost_usd": 0.001}
    return lambda: tracer.start_span("call", attributes=attributes).end(), provider.force_flush


CONTENDERS = {one.__name__: one for one in (bare, tidemark, tidemark_context, tidemark_masked, langfuse, opentelemetry)}


def measure(contender: Contender) -> dict[str, float]:
    """p50, p99 and CPU of one call, in microseconds."""
    emit, settle = contender
    for _ in range(WARM_UP):
        emit()
    settle()
    clock, taken = time.perf_counter_ns, []
    cpu_ns = time.process_time_ns()
    for _ in range(CALLS):
        before = clock()
        emit()
        taken.append(clock() - before)
    settle()
    cpu_ns = time.process_time_ns() - cpu_ns
    taken.sort()
    return {"p50": taken[CALLS // 2] / 1e3, "p99": taken[CALLS * 99 // 100] / 1e3, "cpu": cpu_ns / CALLS / 1e3}


def import_milliseconds(module: str) -> float:
    """The time that a fresh interpreter needs for `import module`, the best of five."""
    code = f"import time; t = time.perf_counter(); import {module}; print((time.perf_counter() - t) * 1e3)"
    return min(float(_output([sys.executable, "-c", code])) for _ in range(5))


def installed_megabytes(distribution: str) -> float:
    """The size of a distribution's own files, without what it depends on and without caches."""
    if distribution == "tidemark":
        folder = Path(__file__).parents[1] / "client" / "tidemark"
        paths = [path for path in folder.rglob("*") if path.suffix in {".py", ".typed"}]
    else:
        files = importlib.metadata.files(distribution) or []
        paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return round(sum(path.stat().st_size for path in paths if path.is_file()) / 1e6, 3)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def main() -> None:
    """Every contender in turns; the median of the runs."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for _ in range(RUNS):
        for name, measured in runs.items():
            measured.append(json.loads(_output([sys.executable, "-m", "benchmarks.client_emit", name])))
    middle = {
        name: {key: round(statistics.median(run[key] for run in measured), 3) for key in ("p50", "p99", "cpu")}
        for name, measured in runs.items()
    }
    own, floor, peer = middle["tidemark"], middle["bare"], middle["langfuse"]
    result = {
        "name": "client emit, p50",
        "value": own["p50"],
        "unit": "us",
        "peer": peer["p50"],
        "limit": floor["p50"],
        "ratio": round(peer["p50"] / own["p50"], 1),
        "runs": RUNS,
        "cpu": processor.name(),
        "microseconds": middle,
        "times_bare": {name: round(numbers["p50"] / floor["p50"], 1) for name, numbers in middle.items()},
        "p99_times_bare_p50": round(own["p99"] / floor["p50"], 1),
        "p99_times_bare_p99": round(own["p99"] / floor["p99"], 1),
        "import_ms": {name: round(import_milliseconds(module), 1) for name, module in IMPORTED.items()},
        "installed_mb": {name: installed_megabytes(name.replace("ry", "ry-sdk")) for name in IMPORTED},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        logging.disable(logging.CRITICAL)
        print(json.dumps(measure(CONTENDERS[sys.argv[1]]())), flush=True)
        os._exit(0)  # what waits behind the others would be tried again for a while
    main()
