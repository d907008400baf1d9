"""How near a scoring service, Kafka to Kafka, comes to its bare model, which is handed the same batches.

Realistic calls (as in `scorer_cost`) lie on the embedded broker, and then (`kafka`) on Apache Kafka. The service of
toxicity reads them as it ships (fetch, decode, score, encode, produce, commit), 64 at a time; `limit` is the same
scorer on the same calls in batches of 64, with nothing around it. Both run in processes of their own, in turns, once
the model is warm. `value` is calls a second; `ratio` is value to limit, the median over rounds; `added_cpu` is the CPU
that the service takes beyond its model's, as a share of that: `python -m benchmarks.service_rate`.
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvloop
from tokenizers import Tokenizer

from benchmarks._broker import BROKERS, broker, fill
from benchmarks.embedding_rate import texts
from benchmarks.runtime_overhead import Clock
from benchmarks.scorer_cost import a_call
from schemas.messages import Call, Score
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.shared import processor
from services.shared.kafka import Kafka
from services.shared.model_pipeline import scorer_pipeline
from services.shared.model_store import BUILTIN, weights_folder
from services.shared.process import Process
from services.shared.scoring import Scorer
from services.toxicity import app, metrics
from services.toxicity.config import Config

ROUNDS, CALLS_READ, BATCH, WARM = 3, 1280, 64, 2
TARGET = 0.9


TEXTS = texts(Tokenizer.from_file(str(weights_folder(BUILTIN) / "tokenizer.json")))


def made() -> list[Call]:
    """The calls that both are given."""
    return [a_call(number, TEXTS) for number in range(CALLS_READ)]


@dataclass
class Timed:
    """A warm scorer that tells a clock of each batch, and `last` when it is given the last one."""

    scorer: Scorer
    clock: Clock
    last: Callable[[], object] = bool

    def __post_init__(self) -> None:
        for number in range(WARM):  # texts of its own: the cache is to know none of the others
            list(self.scorer.score([a_call(CALLS_READ + number * BATCH + at, TEXTS) for at in range(BATCH)]))

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """As the scorer does."""
        if self.clock.batch(len(calls)):
            self.last()
        return self.scorer.score(calls)


async def service(kafka: Kafka, clock: Clock) -> None:
    """The service until it has had all calls."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder), kafka_bootstrap=kafka.bootstrap, batch_records=BATCH, sampling_lag_seconds=0)
        process = Process(config)
        stop = process.stopping.set

        def load() -> Sequence[Scorer]:
            return [cast(Scorer, Timed(app.scorer(config), clock, partial(loop.call_soon_threadsafe, stop)))]

        pipeline, _ = scorer_pipeline(config, load, metrics.SCORES, reads=CALLS, writes=SCORES, feedback=FEEDBACK)
        await pipeline.run(process)


async def model(_kafka: Kafka, clock: Clock) -> None:
    """The scorer alone."""
    scorer, calls = Timed(app.scorer(Config()), clock), made()
    for at in range(0, len(calls), BATCH):
        list(scorer.score(calls[at : at + BATCH]))


CONTENDERS = {"service": service, "model": model}


def run(name: str, bootstrap: str = "") -> dict[str, float]:
    """One contender in a process of its own: calls a second, and CPU microseconds a call."""
    command = [sys.executable, "-m", "benchmarks.service_rate", name, bootstrap]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        raise ChildProcessError(f"{name}: {ran.stderr[-2000:]}")
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def compared(kind: str, calls: Sequence[Call]) -> dict[str, Any]:
    """Service and model in turns, each round with a broker of its own."""
    rounds = []
    for _ in range(ROUNDS):
        with broker(kind) as kafka:
            fill(kafka, calls)
            rounds.append((run("service", kafka.bootstrap), run("model")))

    def middle(of: Callable[[dict[str, float], dict[str, float]], float]) -> float:
        return statistics.median(of(*each) for each in rounds)

    return {
        "value": round(middle(lambda own, _: own["rate"]), 1),
        "limit": round(middle(lambda _, bare: bare["rate"]), 1),
        "ratio": round(middle(lambda own, bare: own["rate"] / bare["rate"]), 3),
        "added_cpu": round(middle(lambda own, bare: own["us"] / bare["us"] - 1), 3),
    }


def main() -> None:
    """Both brokers, the embedded one first."""
    load, calls = round(os.getloadavg()[0], 2), made()
    found = {kind: compared(kind, calls) for kind in BROKERS}
    print(json.dumps({
        "name": "scoring service, Kafka to Kafka", "unit": "calls/s", "peer": None, **found["tansu"],
        "kafka": found["kafka"], "target": TARGET, "runs": ROUNDS, "calls": CALLS_READ, "batch": BATCH,
        "cpu": processor.name(), "load_before": load,
        "command": "python -m benchmarks.service_rate",
    }))  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    if len(sys.argv) > 1:
        timed = Clock(CALLS_READ)
        uvloop.run(CONTENDERS[sys.argv[1]](Kafka(sys.argv[2]), timed))
        print(json.dumps(timed.result()))
    else:
        main()
