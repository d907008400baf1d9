"""A small service as a process of its own: `python -m tests.support.scoring_service`.

`SLOW_SECONDS` is how long a batch takes; `BEGUN`, a file that is made when the first one begins; `FAULT`, what it does
instead: `hang` in the middle of a batch, `return` while it should run, or the `agent` of the same name.
"""

import os
import threading
import time
from pathlib import Path

from schemas.topics import CALLS, SCORES
from services.shared.agent import Agent
from services.shared.pipeline import Pipeline
from services.shared.service import run
from services.shared.settings import ServiceSettings, read
from tests.support.messages import a_score_of

FAULT = os.environ.get("FAULT", "")


class Config(ServiceSettings, env_prefix="TIDEMARK_LATENCY_"):
    """Settings of the service."""


class Returns:
    """A runtime that ends without a word."""

    name = "latency"

    async def run(self, process):
        """Return, while the process is not to stop."""
        await process.stopped_within(0.1)


class Ledger:
    """What an agent recorded, one id a line, each line in the file when `record` returns."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def record(self, records):
        """Write the ids, then fail on poison."""
        begun()
        if any(record.message.prompt == "poison" for record in records):
            raise ValueError("poison")
        with self.path.open("a") as file:
            file.writelines(f"{record.message.call_id}\n" for record in records)
        time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))


def begun():
    """Make the file that says so."""
    if path := os.environ.get("BEGUN"):
        Path(path).touch()


def score(calls):
    """Slow enough to be killed in the middle of a batch."""
    begun()
    if FAULT == "hang":
        threading.Event().wait()
    time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))
    return [a_score_of(call) for call in calls]


def main():
    """The runtime that the environment asks for."""
    if FAULT == "return":
        return Returns()
    if FAULT == "agent":
        return Agent("latency", reads=CALLS, record=Ledger(os.environ["LEDGER"]).record, step=lambda _now: None)
    return Pipeline("latency", reads=CALLS, writes=SCORES, handle=score)


if __name__ == "__main__":
    config = read(Config)
    run(main(), config)
