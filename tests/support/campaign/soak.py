"""A soak: the stack on Apache Kafka at a steady rate, and what each process takes of the machine meanwhile.

`python -m tests.support.campaign.soak --minutes 60 --rate 200`; writes `docs/reference/soak.json` and `soak.md`.
"""

import argparse
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.campaign import oracle
from tests.support.campaign.load import Emitting, Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.soak_report import beyond, write
from tests.support.campaign.watch import Watch

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SAMPLE_SECONDS = 5.0
SAID_SECONDS = 60.0


class Sample(NamedTuple):
    """One process at one moment; its own memory is what it has resident without the pages of mapped files."""

    seconds: float
    pid: int
    own_bytes: int
    files: int
    threads: int
    lag: int | None


def main():
    """Run it; exit code 1 where a call is not accounted for. Who takes too much is told, and changes no exit code."""
    wanted = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the stack is stopped, too
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        found = soak(Path(folder), wanted.minutes * 60, wanted.rate)
    found["command"] = f"make soak MINUTES={wanted.minutes:g} RATE={wanted.rate:g}"
    kept = write(wanted.into, found)
    told = found["complaints"] or ["every call is accounted for"]
    sys.stdout.write("\n".join([*told, beyond(kept["processes"])]) + "\n")
    return 1 if found["complaints"] else 0


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=200, help="calls a second")
    parser.add_argument("--into", type=Path, default=REFERENCE, help="the folder of the report")
    return parser.parse_args()


def soak(folder, seconds, rate):
    """Samples by process, and what became of the calls."""
    with OnStack(folder) as place, Emitting(place, Load(0, rate)) as emitting:
        with Watch(place.store, emitting, every_seconds=2.0, window_seconds=300) as watch:
            samples = sampled(place, emitting, seconds)
            restarts = place.restarts
            stats = emitting.stop()
        found = {
            "seconds": seconds,
            "calls_per_second": rate,
            "restarts": restarts,
            "delays": sorted(watch.delays.values()),
            "samples": samples,
        }
        return found | accounted(place, emitting, stats)


def accounted(place, emitting, stats):
    """What became of the calls; an hour of samples is not lost to a question that fails."""
    verdict = oracle.judged(place, emitting)
    try:
        scores = oracle.unscored(place, verdict.stored)
    except OSError as error:
        scores = [f"the scores were not counted: {error}"]
    return {"calls": verdict.counts(), "complaints": oracle.complaints(verdict, stats) + scores}


def sampled(place, emitting, seconds):
    """Every process of the stack, every five seconds, by its name."""
    found, began, said = {}, time.monotonic(), 0.0
    while (at := time.monotonic() - began) < seconds:
        for name, part in place.parts.items():
            with suppress(psutil.Error):
                found.setdefault(name, []).append(look(at, part))
        if at - said >= SAID_SECONDS:
            said = at
            sys.stdout.write(f"  {at / 60:.0f} of {seconds / 60:.0f} min, {emitting.acknowledged:,} calls\n")
            sys.stdout.flush()
        time.sleep(SAMPLE_SECONDS)
    return found


def look(at, part):
    """One process; raises psutil's errors where it has gone."""
    process = psutil.Process(part["pid"])
    with process.oneshot():
        memory = process.memory_info()
        own = memory.rss - memory.shared
        return Sample(at, process.pid, own, process.num_fds(), process.num_threads(), part["lag"])


if __name__ == "__main__":
    sys.exit(main())
