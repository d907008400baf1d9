"""SIGSTOP beyond the session timeout: a brother takes over, and what the zombie does then counts for nothing."""

import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import CALLS, SCORES
from tests.support.campaign.cluster import members
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.schedule import Schedule
from tests.support.service_process import ServiceProcess

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
READS = {"writer": CALLS.name, "latency": CALLS.name, "windower": SCORES.name}  # what each group must go on with
GROUPS = tuple(READS)
SESSION_SECONDS = 6.0  # of every service unless it is told otherwise
ASLEEP_SECONDS = SESSION_SECONDS + 3
PATIENCE_SECONDS = 20  # of a zombie that sleeps on while its brother has not taken over


class Twins(OnStack):
    """The stack with a second member in the consumer group of each service that reads what is emitted."""

    def __enter__(self):
        with ExitStack() as opened:
            super().__enter__()
            opened.callback(super().__exit__)
            folder = self.data / "twins"
            folder.mkdir()
            self.twins = {name: ServiceProcess(name, folder, **self._environment(name, folder)) for name in GROUPS}
            for twin in self.twins.values():
                opened.callback(twin.kill)
                twin.start()
            for twin in self.twins.values():
                twin.ready()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_):
        self._opened.close()

    def _environment(self, name, folder):
        """That of its brother, with a data directory of its own, as on another machine."""
        pairs = Path(f"/proc/{self.pid(name)}/environ").read_text().rstrip("\0").split("\0")
        return dict(pair.split("=", 1) for pair in pairs) | {"TIDEMARK_DATA": str(folder)}


def has_read(twin):
    """How many messages a twin has read of what its group must go on with; 0 while it does not answer."""
    with suppress(OSError), urlopen(f"{twin.url}/metrics", timeout=5) as answer:
        return consumed(answer.read().decode(), READS[twin.name])
    return 0


def consumed(told, topic):
    """The messages of a topic in what `/metrics` tells."""
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    return sum(
        each.value for each in samples if each.name == "tidemark_consumed_total" and each.labels["topic"] == topic
    )


def taken_over(scene, victim, until):
    """Whether the brother has all partitions of the sleeper's group, and has read on since; waits for both."""
    twin = scene.place.twins[victim]
    if not waited(lambda: len(members(scene.place.bootstrap, victim)) == 1, until):
        return False
    before = has_read(twin)  # half of the partitions were his all along, so what he has read until here says nothing
    return waited(lambda: has_read(twin) > before, until)


def waited(condition, until):
    """Whether it holds before `until` (monotonic)."""
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def put_to_sleep(scene, number):
    victim = scene.turn(GROUPS)
    pid = scene.place.signal(victim, signal.SIGSTOP)
    scene.say(f"{victim} sleeps for {ASLEEP_SECONDS:.0f} s")
    time.sleep(ASLEEP_SECONDS)
    if not taken_over(scene, victim, time.monotonic() + PATIENCE_SECONDS):
        scene.complaints.append(f"while {victim} slept, its brother did not take over and read on {READS[victim]}")
    os.kill(pid, signal.SIGCONT)
    return time.time()


def brothers_run(scene):
    for name, twin in scene.place.twins.items():
        if not twin.runs():
            scene.complaints.append(f"the brother of {name} has ended: {scene.place.data / 'twins' / name}.log")


@pytest.mark.timeout(3600)
def test_nothing_is_lost_to_a_zombie(campaign, long):
    strikes = 20 if long else 3
    fault = Fault(
        name="zombies",
        target="SIGSTOP beyond the session timeout × 20: 0 lost, stall ≤ 10 s",
        targets={"stall_seconds": 10},
        place=Twins,
        load=Load(100_000 if long else 8_000, 150),
        schedule=Schedule(strikes, 1.0, 3.0),
        strike=put_to_sleep,
        afterwards=brothers_run,
        smaller="" if long else f"{strikes} zombies",
    )
    campaign(fault)
