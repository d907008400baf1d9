"""What one call costs with every scorer on: CPU and memory of each, and how many calls a second are sustained.

A call is a question, two retrieved documents and an answer of 20 to 300 tokens each (as in `embedding_rate`), with
a reference, log-probabilities and times; every tenth has two choices. Each scorer, and the embedder, runs in a process
of its own and on calls of its own, in batches of 64 as in the services. Texts repeat, but every sentence ends in the
number of its text, so no cache by text or sentence answers for what an earlier call brought; the system prompt and
words come again, as in real traffic. `value` is the CPU of all of them for one call, the median of the runs;
`per_second` is what the cores would sustain with nothing else to do. `peer` is null: nothing else scores the same.
`python -m benchmarks.scorer_cost`.
"""

import json
import logging
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psutil
from tokenizers import Tokenizer

from benchmarks.embedding_rate import texts
from schemas.messages import Call, Choice, Document, Tokens
from services.embedded.scorers import SCORERS
from services.shared import processor
from services.shared.model_store import BUILTIN, weights_folder
from services.shared.sentences import sentences

RUNS, BATCHES, BATCH = 3, 4, 64
EMBEDDER = "embedder"
STEPS = (1, 5, 7, 11, 13)  # to the texts of a call: prompt, two documents, two answers
Work = Callable[[Sequence[Call]], object]
_END = re.compile(r"[.!?…:\"'”’)\]]*$")


def numbered(text: str, number: int) -> str:
    """The text with this number as the last word of every sentence.

    >>> numbered("It works. Does it?", 17)
    'It works 17. Does it 17?'
    """
    return " ".join(_END.sub(rf" {number}\g<0>", sentence.text, count=1) for sentence in sentences(text))


def a_call(number: int, given: Sequence[str]) -> Call:
    """The call of this number; it shares no sentence with another, its system prompt aside."""
    prompt, first, second, answer, other = (
        numbered(given[number * step % len(given)], number * len(STEPS) + place) for place, step in enumerate(STEPS)
    )
    return Call(
        call_id=UUID(int=number), app="bench", environment="test", version="v1",
        called_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number), answering_model="gpt-4o-mini",
        system_prompt="You answer questions about a programming language.", prompt=prompt,
        context=(Document(text=first), Document(text=second)), response=answer, reference=second,
        choices=(Choice(text=answer), Choice(text=other)) if number % 10 == 0 else (),
        log_probabilities=(-0.1,) * len(answer.split()), tokens=Tokens(input=400, output=120),
        duration_seconds=1.5, time_to_first_token_seconds=0.3,
    )  # fmt: skip


def work_of(name: str) -> Work:
    """What scores a batch, loaded."""
    if name == EMBEDDER:
        from services.embedder.config import Config  # noqa: PLC0415 - only this process loads it
        from services.embedder.embedder import embeddings  # noqa: PLC0415
        from services.shared.encoder import Encoder  # noqa: PLC0415

        encoder = Encoder.load(Config().encoder)
        return lambda calls: list(embeddings(calls, encoder))
    scorer = next(offer for offer in SCORERS if offer.service == name).load()
    return lambda calls: list(scorer.score(calls))


def child(name: str) -> None:
    """Load one scorer, warm it up, and print what a call costs it."""
    given = texts(Tokenizer.from_file(str(weights_folder(BUILTIN) / "tokenizer.json")))
    work, spent = work_of(name), []
    for batch in range(BATCHES + 1):
        calls = [a_call(batch * BATCH + number, given) for number in range(BATCH)]
        before = time.process_time()
        work(calls)
        spent.append((time.process_time() - before) / BATCH * 1000)
    memory = psutil.Process().memory_info().rss / 2**20
    print(json.dumps({"cpu_ms": statistics.median(spent[1:]), "memory_mb": round(memory)}))


def cost(name: str) -> dict[str, Any]:
    """What `child` printed."""
    command = [sys.executable, "-m", "benchmarks.scorer_cost", name]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Each scorer in turns, and the sum."""
    load = round(os.getloadavg()[0], 2)
    names = [*(offer.service for offer in SCORERS), EMBEDDER]
    runs = [{name: cost(name) for name in names} for _ in range(RUNS)]
    each = {
        name: {
            "cpu_ms": round(statistics.median(run[name]["cpu_ms"] for run in runs), 3),
            "memory_mb": max(run[name]["memory_mb"] for run in runs),
        }
        for name in names
    }
    value, cores = sum(one["cpu_ms"] for one in each.values()), len(os.sched_getaffinity(0))
    print(json.dumps({
        "name": "scorer_cost", "value": round(value, 2), "unit": "CPU ms a call", "peer": None, "limit": None,
        "ratio": None, "per_second": round(cores * 1000 / value, 1), "each": each, "runs": RUNS,
        "cpu": processor.name(), "cores": cores, "load_before": load,
        "command": "python -m benchmarks.scorer_cost",
    }))  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    child(sys.argv[1]) if sys.argv[1:] else main()
