"""The report: `faults.json` holds every run, `faults.md` is made from it.

`python -m tests.support.campaign.report` makes the page again, without a run.
"""

import fcntl
import json
import os
import sys
from pathlib import Path

import psutil

from tests.support.campaign.record import Record
from tests.support.campaign.targets import AT_LEAST, meets

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
TITLE = """# Faults

Made by `make faults`; do not edit. Each line is one run of one fault under load, on real processes. The oracle is the
client's fsynced ledger of acknowledged ids against the store, read through its views, and the dead letters:
`acknowledged = stored ⊎ dead-lettered`, no id twice.
"""
EXPLAINED = """
`before FINAL`: physical rows beyond the first of a call, as far as they were seen before a merge took them. Delays run
from the emission until a look at the store, twice a second, saw the row. `recovery` is the longest of all strikes until
every part was ready and a call emitted since was stored. `stall` is the longest time in which calls waited and none
became stored. `catch-up` is how fast the backlog of an outage went, in units of the live rate. `load before` is the
machine's load average when the run began: what else it does makes every time longer. A run passes by what became of its
calls; whether it also met its targets of time, where it has any, is `in time`, and which it missed is told below: times
are the machine's, too. A run that is done again under the same command and seed replaces its line; other seeds stand
side by side.
"""
MACHINE = "The machine: "
VERDICTS = {True: "met", False: "missed", None: "not measured"}
NOT_EXECUTED = """## Not executed

A ClickHouse server (the engine is ClickHouse's own, embedded, behind its HTTP interface): the SQL for a cluster is read
by the real parser and not executed, users and row policies are not there yet. A power cut. Several machines."""
COLUMNS = {
    "fault": "fault",
    "seed": "seed",
    "passed": "passed",
    "in_time": "in time",
    "acknowledged": "acknowledged",
    "stored": "stored",
    "dead_lettered": "dead letters",
    "lost": "lost",
    "duplicates_before_final": "before FINAL",
    "duplicates": "twice",
    "strikes": "strikes",
    "calls_per_second": "calls/s",
    "p50_seconds": "p50 s",
    "p95_seconds": "p95 s",
    "recovery_seconds": "recovery s",
    "stall_seconds": "stall s",
    "catch_up": "catch-up",
    "load_before": "load before",
}


class Report:
    """The two files in a folder; safe for several processes at once."""

    def __init__(self, folder):
        self._json, self._markdown = folder / "faults.json", folder / "faults.md"

    def records(self):
        """Every run so far."""
        if not self._json.exists():
            return []
        return [Record.of(found) for found in json.loads(self._json.read_text())]

    def add(self, record):
        """Write a run down, in the place of the same run done before."""
        self._json.parent.mkdir(parents=True, exist_ok=True)
        with self._json.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = [other for other in self.records() if other.key != record.key] if self._json.stat().st_size else []
            records = sorted([*kept, record], key=lambda one: one.key)
            self._json.write_text(json.dumps([one.as_dict() for one in records], indent=1, ensure_ascii=False) + "\n")
        self._markdown.write_text(page(records, machine()))

    def rewrite(self):
        """Make the page again; the machine stays the one that it names."""
        _, _, told = self._markdown.read_text().partition(MACHINE)
        self._markdown.write_text(page(self.records(), told.partition(".\n")[0]))


def page(records, described):
    """The whole of `faults.md`."""
    sections = [TITLE, f"{MACHINE}{described}.", table(records), EXPLAINED.strip(), bound(records)]
    sections += [section for section in (failed(records), own_figures(records), smaller(records)) if section]
    sections.append(NOT_EXECUTED)
    return "\n\n".join(part.strip() for part in sections) + "\n"


def table(records):
    """One line a run."""
    head = f"| {' | '.join(COLUMNS.values())} |\n|{'---|' * len(COLUMNS)}"
    return "\n".join([head, *(f"| {' | '.join(cell(record, name) for name in COLUMNS)} |" for record in records)])


def cell(record, name):
    """A figure as a reader reads it."""
    value = getattr(record, name)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:,}" if isinstance(value, int) else str(value)


def bound(records):
    """What nothing lost in n means; nothing, where a run did not pass: what it would have lost is not known."""
    passed = [one for one in records if one.passed]
    calls = sum(one.acknowledged for one in passed)
    if len(passed) < len(records) or not calls:
        return (
            f"## The bound\n\nNone: {len(records) - len(passed)} of {len(records)} runs did not pass. Those that did"
            f" acknowledged {calls:,} messages."
        )
    share = f"{3 / calls:.1e}"
    return (
        f"## The bound\n\nNothing lost in {calls:,} acknowledged messages over all runs means, at 95 %, that the share"
        f" of lost ones is at most 3/{calls:,} = {share}: of a million at most {3e6 / calls:,.1f}. That holds for loads"
        " and faults like these."
    )


def failed(records):
    """The runs that did not pass, and why."""
    lines = [f"- {one.fault}, seed {one.seed} (`{one.command}`): {one.why}" for one in records if not one.passed]
    return "\n".join(["## Runs that did not pass", "", *lines]) if lines else ""


def own_figures(records):
    """What only one fault measures."""
    lines = [
        f"- {one.fault}, seed {one.seed}: {name.replace('_', ' ')} {value:,}"
        for one in records
        for name, value in one.more.items()
    ]
    return "\n".join(["## Further figures", "", *lines]) if lines else ""


def smaller(records):
    """Target by target, and what ran smaller here."""
    lines = dict.fromkeys(
        f"| {one.fault} | {one.target} | {one.smaller or 'as large as the target'} | {of_time(one)} | `{one.command}` |"
        for one in records
    )
    head = ["| fault | target | here | targets of time | command |", "|---|---|---|---|---|"]
    return "\n".join(["## Targets, and what ran smaller", "", *head, *lines])


def of_time(record):
    """Which targets of time were missed and which met, each with its figure; a dash where there is none."""
    found = {"missed": [], "not measured": [], "met": []}
    for name, limit in record.targets.items():
        found[VERDICTS[meets(name, getattr(record, name), limit)]].append(against(record, name, limit))
    return "; ".join(f"{verdict}: {', '.join(told)}" for verdict, told in found.items() if told) or "–"


def against(record, name, limit):
    """A figure beside its limit: `stall 16.75 of 10 s`."""
    label, _, unit = COLUMNS[name].partition(" ")
    least = "at least " if name in AT_LEAST else ""
    return f"{label} {cell(record, name)} of {least}{limit:g} {unit}".strip()


def machine():
    """What it ran on; no names."""
    gibibytes = round(psutil.virtual_memory().total / 2**30)
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{len(os.sched_getaffinity(0))} cores, {gibibytes} GiB of memory, {os.uname().sysname}, Python {python}"


if __name__ == "__main__":
    Report(REFERENCE).rewrite()
