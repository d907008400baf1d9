"""How many calls a second go from the client to their stored scores, on the embedded stack, and where the time goes.

A stack of its own in a temporary directory: client, gateway, broker, latency, writer, ClickHouse (`value`), then with
every scorer that runs a model (`models`); then both on Apache Kafka instead of the embedded broker (`kafka`). Calls
of 2 KB are emitted as fast as the client's queue takes them. A stage's rate is the calls divided by the time from the
first emitted call until the stage had all of them; the slowest bounds all. `cpu_us_a_call` is the CPU time of each
process for one call, idle work of the same length taken off. The `limit` is the rate if the cores did nothing but
that work, evenly. `peer` is null: nothing else covers the same way. `python -m benchmarks.end_to_end_rate`.
"""

import json
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tidemark import Client

from services.embedded.services import NAMES, Ports
from services.shared import processor

LIGHT = ("registry", "gateway", "writer", "latency")
EVALUATORS = ("latency", "toxicity", "hallucination", "guard", "quality")
MODELS = (*LIGHT, *EVALUATORS[1:], "embedder")
LIGHT_CALLS, MODEL_CALLS = 20_000, 300
START_SECONDS, LIMIT_SECONDS, IDLE_SECONDS, LOOK_SECONDS = 240, 300, 5.0, 0.1
QUEUED = 4000
TICK = os.sysconf("SC_CLK_TCK")
CONTEXT = "The harbour office sells the tide tables, number {0}, which are printed every spring. " * 8
PROMPT = "Where do I get tide table number {0}, and what does it cost? " * 4
RESPONSE = "The harbour office sells tide table number {0} for four dollars. It is printed every spring. " * 6


class Stack:
    """Some services of the embedded stack, in a directory and on ports of their own."""

    def __init__(self, folder: Path, services: Sequence[str], broker: str) -> None:
        self.data, self.ports, self._services, self._broker = folder, Ports(_free_base()), services, broker

    def tidemark(self, *arguments: str) -> str:
        """What a subcommand prints; an error where it fails."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
        ran = subprocess.run(
            command, env={**known, "TIDEMARK_DATA": str(self.data)}, capture_output=True, text=True,
            timeout=START_SECONDS, check=False,
        )  # fmt: skip
        if ran.returncode:
            raise ChildProcessError(f"tidemark {arguments[0]}: {ran.stderr[-2000:]}")
        return ran.stdout

    def up(self) -> None:
        """Returns when everything runs."""
        without = [f"--without={name}" for name in NAMES if name not in self._services]
        self.tidemark(
            "up", "--detach", "--json", f"--port-base={self.ports.base}", f"--broker={self._broker}", *without
        )

    def ready(self) -> None:
        """Returns when every service is ready, models loaded."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.tidemark("status", "--json")
            except ChildProcessError:
                time.sleep(1)
            else:
                return
        raise TimeoutError("the stack is not ready")

    def ask(self, query: str) -> int:
        """One number out of ClickHouse."""
        address = f"http://127.0.0.1:{self.ports.clickhouse}/?database=tidemark"
        with urlopen(Request(address, query.encode()), timeout=30) as answer:
            return int(answer.read())

    def cpu_seconds(self) -> dict[str, float]:
        """What each process has used, by its name."""
        described = json.loads((self.data / "supervisor.json").read_text())
        return {name: _cpu_seconds(pid) for name, pid in {**described["pids"], "supervisor": described["pid"]}.items()}


@contextmanager
def running(services: Sequence[str], broker: str) -> Iterator[Stack]:
    """A stack for the length of a block."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), services, broker)
        try:
            stack.up()
            stack.ready()
            yield stack
        finally:
            stack.tidemark("down")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _free_base() -> int:
    while True:
        base = random.randrange(10_000, 32_000, 20)
        if all(_is_free(base + offset) for offset in range(20)):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def scorers(services: Sequence[str]) -> dict[str, str]:
    """How many calls each stage has finished: a query each."""
    asked = {"stored": "SELECT count() FROM calls_rows"}
    for name in services:
        if name in EVALUATORS:
            asked[name] = f"SELECT uniqExact(call_id) FROM scores_rows WHERE evaluator = '{name}'"
    if "embedder" in services:
        asked["embedder"] = "SELECT uniqExact(call_id) FROM embeddings_rows"
    return asked


def measure(services: Sequence[str], count: int, broker: str) -> dict[str, Any]:
    """Rates and CPU of `count` calls through these services."""
    with running(services, broker) as stack:
        client = Client(
            url=f"http://127.0.0.1:{stack.ports.base}", api_key=(stack.data / "api-key").read_text().strip(),
            app="bench", environment="test", version="v1", spool=stack.data / "spool" / "bench", poll_seconds=0,
        )  # fmt: skip
        idle = _cpu_of(stack, IDLE_SECONDS)
        before, own = stack.cpu_seconds(), time.process_time()
        began = time.perf_counter()
        emit(client, count)
        took = {"emitted": time.perf_counter() - began, **_finish(stack, client, services, count, began)}
        cpu = {name: used - before[name] for name, used in stack.cpu_seconds().items()}
        cpu["client"] = time.process_time() - own
        stats = client.stats()
        client.close()
    last = max(took.values())
    each = {name: max(0.0, used - idle.get(name, 0) * last) / count * 1e6 for name, used in cpu.items()}
    return report(took, each, count) | {"dropped": stats.dropped, "spooled": stats.spooled}


def emit(client: Client, count: int) -> None:
    """As fast as the queue is emptied."""
    for number in range(count):
        while number % 100 == 0 and client.stats().queued > QUEUED:
            time.sleep(0.005)
        client.emit(
            prompt=PROMPT.format(number), response=RESPONSE.format(number), context=[CONTEXT.format(number)],
            duration_seconds=0.5, time_to_first_token_seconds=0.1,
        )  # fmt: skip


def _cpu_of(stack: Stack, seconds: float) -> dict[str, float]:
    before = stack.cpu_seconds()
    time.sleep(seconds)
    return {name: (used - before[name]) / seconds for name, used in stack.cpu_seconds().items()}


def _finish(stack: Stack, client: Client, services: Sequence[str], count: int, began: float) -> dict[str, float]:
    """When each stage had all calls, in seconds; TimeoutError where one does not."""
    took: dict[str, float] = {}
    asked = scorers(services)
    while time.perf_counter() - began < LIMIT_SECONDS:
        if "acknowledged" not in took and client.stats().acknowledged >= count:
            took["acknowledged"] = time.perf_counter() - began
        for name in [name for name, query in asked.items() if stack.ask(query) >= count]:
            took[name] = time.perf_counter() - began
            del asked[name]
        if not asked and "acknowledged" in took:
            return took
        time.sleep(LOOK_SECONDS)
    counts = {name: stack.ask(query) for name, query in asked.items()}
    raise TimeoutError(f"after {LIMIT_SECONDS} s of {count} calls: {counts}, {client.stats()}")


def report(took: Mapping[str, float], cpu: Mapping[str, float], count: int) -> dict[str, Any]:
    """The rate of the slowest stage first."""
    all_cpu = sum(cpu.values())
    return {
        "value": round(count / max(took.values()), 1), "calls": count,
        "limit": round(len(os.sched_getaffinity(0)) * 1e6 / all_cpu, 1),
        "calls_a_second": {name: round(count / seconds, 1) for name, seconds in took.items()},
        "cpu_us_a_call": {name: round(each, 1) for name, each in sorted(cpu.items(), key=lambda item: -item[1])},
        "cpu_us_a_call_in_all": round(all_cpu, 1),
    }  # fmt: skip


def main() -> None:
    """Each stack, one after the other."""
    logging.disable(logging.ERROR)
    load = round(os.getloadavg()[0], 2)
    found = {kind: both(kind) for kind in ("tansu", "kafka")}
    light = found["tansu"]
    print(json.dumps({
        "name": "calls a second, client to stored scores", "unit": "calls/s", **light, "peer": None,
        "ratio": round(light["value"] / light["limit"], 2), "runs": 1, "kafka": found["kafka"],
        "cpu": processor.name(), "cores": len(os.sched_getaffinity(0)),
        "load_before": load, "command": "python -m benchmarks.end_to_end_rate",
    }))  # fmt: skip


def both(broker: str) -> dict[str, Any]:
    """The light services, and beside them (`models`) with every model."""
    return measure(LIGHT, LIGHT_CALLS, broker) | {"models": measure(MODELS, MODEL_CALLS, broker)}


if __name__ == "__main__":
    main()
