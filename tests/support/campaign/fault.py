"""A fault, and how it is run: under load, by a seeded schedule, judged at the end."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from tests.support.campaign import figures, oracle
from tests.support.campaign.load import Emitting, Load
from tests.support.campaign.record import Record
from tests.support.campaign.schedule import Schedule, Turns
from tests.support.campaign.watch import Watch

FLOWING = 40  # calls stored before the first strike: it comes in the middle of traffic
NEWEST = "SELECT toUnixTimestamp64Micro(max(called_at)) FROM calls_rows"


@dataclass
class Scene:
    """Where it happens: the place, the load, what is seen, and the seed's dice."""

    place: object
    emitting: Emitting
    watch: Watch
    random: Random
    outages: list = field(default_factory=list)  # when something that was away came back
    recoveries: list = field(default_factory=list)
    placed: set = field(default_factory=set)  # messages that the fault itself put on a topic: partition and offset
    lettered: int = 0  # of these, in dead letters
    more: dict = field(default_factory=dict)  # figures of the fault's own
    complaints: list = field(default_factory=list)
    turns: dict = field(default_factory=dict)

    def turn(self, names):
        """Whose of these it is."""
        return self.turns.setdefault(names, Turns(self.random, names)).next()

    def say(self, sentence):
        """To whoever watches."""
        sys.stdout.write(f"  {sentence}\n")
        sys.stdout.flush()

    def until(self, condition):
        """Wait until it holds; a store that is away does not hold it. The test's own timeout ends the wait."""
        while True:
            with suppress(OSError):
                if condition():
                    return
            time.sleep(0.2)

    def flowing(self, since):
        """Whether every part is ready and a call that was emitted after `since` (wall clock) is stored."""
        return self.place.ready and self.place.store.number(NEWEST) / 1e6 > since

    def recover(self, since):
        """Wait until it flows again; the seconds since `since`."""
        self.until(lambda: self.flowing(since))
        self.recoveries.append(time.time() - since)
        self.say(f"recovered in {self.recoveries[-1]:.1f} s")

    def came_back(self):
        """Something that was away is there again: from here the backlog counts."""
        self.outages.append(time.time())
        return self.outages[-1]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One row of the matrix. `strike(scene, number)` does harm and returns the moment that recovery counts from;
    None where it has seen to the recovery itself.

    `targets` are limits of figures of time (the least of `catch_up`, the most of any other), which do not decide
    whether a run passes. `afterwards(scene)` looks at what else this fault must leave as it was, or must have done,
    and adds to `scene.complaints`.
    """

    name: str
    target: str
    place: Callable
    load: Load
    schedule: Schedule
    strike: Callable
    afterwards: Callable = lambda scene: None
    broker: str = "kafka"
    smaller: str = ""
    targets: Mapping[str, float] = field(default_factory=dict)

    def run(self, folder, seed, command):
        """The record of a run that came to its end."""
        load_before = round(os.getloadavg()[0], 1)
        with (
            self.place(folder) as place,
            Emitting(place, self.load) as emitting,
            Watch(place.store, emitting) as watch,
        ):
            scene = Scene(place, emitting, watch, Random(f"{self.name} {seed}"))
            self._strikes(scene)
            return Record(**self._known(seed, command), **self._settled(scene), load_before=load_before)

    def broken_off(self, seed, command, error):
        """The record of a run that did not."""
        return Record(**self._known(seed, command), why=f"broken off: {type(error).__name__}: {str(error)[:500]}")

    def _known(self, seed, command):
        return {
            "fault": self.name,
            "broker": self.broker,
            "seed": seed,
            "command": command,
            "target": self.target,
            "targets": dict(self.targets),
            "smaller": self.smaller,
            "calls_per_second": self.load.calls_per_second,
        }

    def _strikes(self, scene):
        scene.until(lambda: scene.place.ready and scene.place.store.number("SELECT count() FROM calls") >= FLOWING)
        for number, pause in enumerate(self.schedule.pauses(scene.random)):
            time.sleep(pause)
            if (since := self.strike(scene, number)) is not None:
                scene.recover(since)
        scene.emitting.until(self.load.calls)

    def _settled(self, scene):
        """Everything at rest, and judged."""
        stats = scene.emitting.stop()
        verdict = oracle.judged(scene.place, scene.emitting)
        scene.complaints += oracle.complaints(verdict, stats) + oracle.unscored(scene.place, verdict.stored)
        self.afterwards(scene)
        scene.watch.look()
        placed = len(scene.placed)
        return {
            "acknowledged": verdict.acknowledged + placed,
            "stored": verdict.stored,
            "dead_lettered": verdict.dead_lettered + scene.lettered,
            "lost": verdict.lost + placed - scene.lettered,
            "duplicates": verdict.duplicates,
            "dropped": stats["dropped"],
            "longest_emit_seconds": round(stats["longest_emit_seconds"], 4),
            "strikes": self.schedule.strikes,
            "restarts": scene.place.restarts,
            "passed": not scene.complaints,
            "why": "; ".join(scene.complaints),
            **self._times(scene),
            "more": scene.more,
        }

    def _times(self, scene):
        points, delays = scene.watch.points, scene.watch.delays.values()
        speeds = [figures.catch_up(points, back, self.load.calls_per_second) for back in scene.outages]
        measured = {
            "p50_seconds": figures.quantile(delays, 0.5),
            "p95_seconds": figures.quantile(delays, 0.95),
            "recovery_seconds": max(scene.recoveries, default=None),
            "stall_seconds": figures.stall(points),
            "catch_up": min((speed for speed in speeds if speed is not None), default=None),
        }
        rounded = {name: None if value is None else round(value, 2) for name, value in measured.items()}
        return rounded | {"duplicates_before_final": scene.watch.repeated}


def ended(scene, victim, number):
    """A strike on a supervised part: it gets the signal, and another process takes its place; since when."""
    since = time.time()
    gone = scene.place.signal(victim, number)
    scene.say(f"{signal.Signals(number).name} for {victim}")
    scene.until(lambda: scene.place.pid(victim) not in (None, gone))
    return since


def away(part, seconds):
    """A strike: `part` of the place (kafka, engine) is killed, and started again after `seconds`."""

    def strike(scene, number):
        struck = getattr(scene.place, part)
        struck.kill()
        scene.say(f"{part} is away for {seconds} s")
        time.sleep(seconds)
        struck.start()
        return scene.came_back()

    return strike
