"""A small service as a process of its own: `python -m tests.support.scoring_service`.

`SLOW_SECONDS` is how long a batch takes; `BEGUN`, a file that is made when the first one begins; `FAULT`, what it does
instead: `hang` in the middle of a batch, or `return` while it should run. `LEDGER` makes it an agent that writes there
what it records, under the name `AGENT`; `FAULT` is then `stream` (it ends by itself), `still` (nothing
comes of it), `agent` (its own code fails) or `step`.
"""

import asyncio
import os
import threading
import time
from pathlib import Path

import faust.streams

from schemas.topics import CALLS, SCORES
from services.shared import agent as agents
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
        if FAULT == "hang":
            threading.Event().wait()
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


def step(_now):
    """Fail where that is asked for."""
    if FAULT == "step":
        raise ValueError("a step fails")


async def stream_that_ends(*_args, **_options):
    """What Faust's own does after some errors: nothing more comes, and nobody says so."""
    for nothing in ():
        yield nothing


async def stream_that_stands_still(*_args, **_options):
    """What Faust's own does after others: it waits, and nobody says so."""
    yield await asyncio.Event().wait()


async def fail(*_args):
    """An error outside of what is recorded."""
    raise RuntimeError("the agent itself fails")


def an_agent(ledger):
    """The agent, with its fault."""
    if FAULT == "stream":
        faust.streams.Stream.noack_take = stream_that_ends
    if FAULT == "still":
        faust.streams.Stream.noack_take = stream_that_stands_still
    if FAULT == "agent":
        agents._Life._take = fail
    return Agent(os.environ.get("AGENT", "latency"), reads=CALLS, record=Ledger(ledger).record, step=step)


def main():
    """The runtime that the environment asks for."""
    if FAULT == "return":
        return Returns()
    if "LEDGER" in os.environ:
        return an_agent(os.environ["LEDGER"])
    return Pipeline("latency", reads=CALLS, writes=SCORES, handle=score)


if __name__ == "__main__":
    config = read(Config)
    run(main(), config)
