"""Runs Apache Kafka in the foreground until Ctrl-C: `python -m services.embedded.kafka --brokers 3`."""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.jars import JARS, KafkaMissingError, fetch
from services.embedded.kafka.java import java
from services.embedded.occupants import occupant, taken

READY_SECONDS, STOP_SECONDS = 60, 30


def main() -> int:
    """Bring the jars, run the brokers, and end them; the exit code."""
    wanted = _arguments()
    try:
        jars = fetch()
        if wanted.fetch:
            sys.stdout.write(f"Apache Kafka's jars are in {jars}\n")
            return 0
        ports = [(wanted.port + number, wanted.port + 10 + number) for number in range(wanted.brokers)]
        if busy := taken({str(port): port for pair in ports for port in pair}):
            raise KafkaMissingError(f"ports are taken: {', '.join(f'{p} by {occupant(int(p))}' for p in busy)}")
        cluster = Cluster.of(wanted.data, ports, java=java(), jars=jars)
        cluster.prepare()
    except KafkaMissingError as error:
        sys.stderr.write(f"kafka: {error}\n")
        return 69
    return _run(cluster)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make kafka", description="Apache Kafka on loopback, without Docker.")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="three: copies 3, in sync 2")
    parser.add_argument("--port", type=int, default=29092, help="the first broker's; the next follow")
    parser.add_argument("--data", type=Path, default=JARS.parent / "data", help="the logs; they stay")
    parser.add_argument("--fetch", action="store_true", help="only bring the jars")
    return parser.parse_args()


def _run(cluster: Cluster) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    # A session of their own: Ctrl-C is ours, to end them in order.
    running = [subprocess.Popen(cluster.command(node), start_new_session=True) for node in cluster.nodes]
    try:
        _until_they_listen(cluster, running)
        sys.stdout.write(f"Apache Kafka listens at {cluster.bootstrap}; Ctrl-C ends it\n")
        sys.stdout.flush()
        while all(process.poll() is None for process in running):
            time.sleep(0.5)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _end(running)


def _until_they_listen(cluster: Cluster, running: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while len(taken({str(node.number): node.port for node in cluster.nodes})) < len(cluster.nodes):
        if time.monotonic() > deadline or any(process.poll() is not None for process in running):
            raise SystemExit("kafka: a broker did not start; what it printed says why")
        time.sleep(0.1)


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
