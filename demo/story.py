"""What happens, told as it happens."""

import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from demo.store import Row, Store
from demo.traffic import Exchange

ARROW = "→"
COLOURS = {"alert": 31, "deployed": 33, "rollback": 36, "verified": 32, "resolved": 32, "asked": 0, "": 0}


class Story:
    """Tells what is new since it was last asked; every line begins with the seconds since the first call."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured
        self._told: set[object] = set()
        self.began: float | None = None

    def say(self, what: str, text: str) -> None:
        """One line."""
        seconds = f"{time.time() - self.began:5.0f} s" if self.began else "       "
        label = f"{what:<10}"
        if self._coloured and COLOURS.get(what):
            label = f"\033[{COLOURS[what]}m{label}\033[0m"
        print(f"{seconds}  {label} {text}", flush=True)

    def exchange(self, exchange: Exchange | None) -> None:
        """What somebody asked, and how it was answered."""
        if exchange is not None:
            question = textwrap.shorten(exchange.question, 60, placeholder="…")
            answer = textwrap.shorten(exchange.answer, 90, placeholder="…")
            self.say("asked", f"{exchange.version}: {question} {ARROW} {answer} ({exchange.seconds:.1f} s)")

    def measures(self, store: Store) -> None:
        """The newest averages."""
        for row in store.recent():
            self.say(
                "measured",
                f"{row['version']}: toxicity {row['toxicity']}, hallucination {row['hallucination']},"
                f" p95 {row['p95_seconds']} s",
            )

    def events(self, store: Store) -> None:
        """Deployments, alerts and steps of decisions that have not been told yet."""
        for what, text in self._news(store):
            self.say(what, text)

    def _news(self, store: Store) -> Iterator[tuple[str, str]]:
        for row in store.events("deployment"):
            if self._first((row["revision"],)):
                yield "deployed", f"{row['version']} serves now, by {row['deployed_by']}: {row['reason'] or 'a person'}"
        for row in store.events("alert"):
            if self._first((row["alert_id"], row["state"])):
                what = "alert" if row["state"] == "firing" else "resolved"
                yield what, f"{row['severity']} {row['rule']}: {row['summary']}"
        for row in store.events("outcome"):
            if self._first((row["decision_id"], row["state"], row["actor"])):
                yield _step(row)

    def _first(self, key: object) -> bool:
        if key in self._told:
            return False
        self._told.add(key)
        return True


def _step(row: Row) -> tuple[str, str]:
    what = "verified" if row["state"] == "done" else "rollback"
    return what, f"{row['from_version']} {ARROW} {row['to_version']} {row['state']} by {row['actor']}: {row['reason']}"


def between(start: datetime | None, moments: list[datetime]) -> float | None:
    """Seconds from `start` to the first of `moments`; None where either is missing."""
    if start is None or not moments:
        return None
    return (min(moments).astimezone(UTC) - start.astimezone(UTC)).total_seconds()
