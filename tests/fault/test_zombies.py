"""SIGSTOP beyond the session timeout: a brother takes over, and what the zombie does then counts for nothing."""

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.broker import lasting_port
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
GROUPS = ("writer", "latency", "windower")
SESSION_SECONDS = 6.0  # of every service unless it is told otherwise
ASLEEP_SECONDS = SESSION_SECONDS + 3


class Twins(OnStack):
    """The stack with a second member in the consumer group of each service that reads what is emitted."""

    def __enter__(self):
        super().__enter__()
        self._twins = ExitStack()
        for name in GROUPS:
            twin = subprocess.Popen(self._command(name), env=self._environment(name), stderr=subprocess.DEVNULL)
            self._twins.callback(twin.wait)
            self._twins.callback(twin.kill)
        return self

    def __exit__(self, *error):
        self._twins.close()
        super().__exit__(*error)

    def _command(self, name):
        return Path(f"/proc/{self.pid(name)}/cmdline").read_text().rstrip("\0").split("\0")

    def _environment(self, name):
        """That of its brother, with a port and a data directory of its own, as on another machine."""
        pairs = Path(f"/proc/{self.pid(name)}/environ").read_text().rstrip("\0").split("\0")
        own = {f"TIDEMARK_{name.upper()}_HTTP_PORT": str(lasting_port()), "TIDEMARK_DATA": str(self.data / "twins")}
        return dict(pair.split("=", 1) for pair in pairs) | own


def put_to_sleep(scene, number):
    since, victim = time.time(), scene.turn(GROUPS)
    pid = scene.place.signal(victim, signal.SIGSTOP)
    scene.say(f"{victim} sleeps for {ASLEEP_SECONDS:.0f} s")
    time.sleep(ASLEEP_SECONDS)
    os.kill(pid, signal.SIGCONT)
    return since + ASLEEP_SECONDS


@pytest.mark.timeout(3600)
def test_nothing_is_lost_to_a_zombie(campaign, long):
    strikes = 20 if long else 3
    fault = Fault(
        name="zombies",
        target="SIGSTOP beyond the session timeout × 20: 0 lost, stall ≤ 10 s",
        place=Twins,
        load=Load(100_000 if long else 8_000, 150),
        schedule=Schedule(strikes, 1.0, 3.0),
        strike=put_to_sleep,
        smaller="" if long else f"{strikes} zombies",
    )
    campaign(fault)
