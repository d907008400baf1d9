"""Runs Apache Kafka in the foreground until Ctrl-C: `python -m services.embedded.kafka --brokers 3`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from services.embedded.broker import listens
from services.embedded.child import Child
from services.embedded.endings import endings
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.jars import JARS, KafkaMissingError, fetch
from services.embedded.kafka.java import java
from services.embedded.occupants import occupant, taken

READY_SECONDS, STOP_SECONDS = 90, 30
_LOOK_SECONDS = 0.1


def main() -> int:
    """Bring the jars, run the brokers, and end them; the exit code."""
    wanted = _arguments()
    try:
        program, jars = java(), fetch(tell=_say)
        if wanted.fetch:
            _say(f"Apache Kafka's jars are in {jars}")
            return 0
        # A folder for each size: a cluster of three that was one has topics with one copy, and the reverse loses some.
        cluster = Cluster.of(wanted.data / str(wanted.brokers), _ports(wanted), java=program, jars=jars)
        cluster.prepare()
    except KafkaMissingError as error:
        sys.stderr.write(f"kafka: {error}\n")
        return os.EX_UNAVAILABLE
    return asyncio.run(_run(cluster))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make kafka", description="Apache Kafka on loopback, without Docker.")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="three: copies 3, in sync 2")
    parser.add_argument("--port", type=int, default=29092, help="the first broker's; the next follow")
    parser.add_argument("--data", type=Path, default=JARS.parent / "data", help="the logs; they stay")
    parser.add_argument("--fetch", action="store_true", help="only bring the jars")
    return parser.parse_args()


def _ports(wanted: argparse.Namespace) -> list[tuple[int, int]]:
    ports = [(wanted.port + number, wanted.port + 10 + number) for number in range(wanted.brokers)]
    if busy := taken({str(port): port for pair in ports for port in pair}):
        raise KafkaMissingError(f"ports are taken: {', '.join(f'{p} by {occupant(int(p))}' for p in busy)}")
    return ports


async def _run(cluster: Cluster) -> int:
    told = asyncio.Event()
    for number in endings():
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    running: list[Child] = []
    try:
        for node in cluster.nodes:
            child = await Child.start(cluster.command(node), os.environ, node.output)
            running.append(child)
        if await _all_listen(cluster, running, told):
            _say(f"Apache Kafka listens at {cluster.bootstrap}; logs are in {cluster.folder}; Ctrl-C ends it")
        while not told.is_set() and all(child.running for child in running):
            await asyncio.sleep(_LOOK_SECONDS)
        return 0 if told.is_set() else _ended(cluster, running)
    except TimeoutError:
        sys.stderr.write(f"kafka: a broker does not listen after {READY_SECONDS} s; see {cluster.folder}\n")
        return 1
    finally:
        await asyncio.gather(*(child.stop(STOP_SECONDS) for child in running))


async def _all_listen(cluster: Cluster, running: Sequence[Child], told: asyncio.Event) -> bool:
    """Whether all of them came to listen before one ended, somebody asked for the end, or time was up."""
    async with asyncio.timeout(READY_SECONDS):
        while not all([await listens(node.port) for node in cluster.nodes]):
            if told.is_set() or not all(child.running for child in running):
                return False
            await asyncio.sleep(_LOOK_SECONDS)
    return True


def _ended(cluster: Cluster, running: Sequence[Child]) -> int:
    for node, child in zip(cluster.nodes, running, strict=True):
        if not child.running:
            sys.stderr.write(f"kafka: broker {node.number} ended; {node.output} says why\n")
    return 1


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
