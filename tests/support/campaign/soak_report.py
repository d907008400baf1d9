"""The report of a soak: slopes of memory, growth of files and threads, lag."""

import json
from statistics import median

from tests.support.campaign.figures import quantile
from tests.support.campaign.report import machine
from tests.support.campaign.slope import floors, settled, slope

MEBIBYTE = 2**20
TARGET_MB_AN_HOUR = 5.0
HEAD = """# Soak

Made by `{command}`; do not edit. The light services on Apache Kafka at {calls_per_second:g} calls/s, {minutes:g} min:
{calls}.

The machine: {machine}. Memory is a process's own: what is resident without the pages of mapped files (libraries, the
broker's indexes), which the system takes back when it needs them. Its slope is a least-squares line through the least
of each minute over the last three quarters of the run, with the bound that the true slope is below at 95 %: a leak
raises the least, a merge that comes and goes does not. The target is a bound of at most {target:g} MB an hour for each
process over an hour; a shorter run tells little of a process that still warms up. The broker is Kafka's own Java
process, which takes the whole of its bounded heap as it starts; `files` and `threads` are the medians of the first and
the last third of that time. A window is committed when it closes, so the windower's lag counts what open windows hold.

| process | memory MB | slope MB/h | upper bound MB/h | within | files | threads | lag, most | lag, last |
|---|---|---|---|---|---|---|---|---|
"""


def write(folder, found):
    """`soak.json`, and `soak.md` made from it; what they hold."""
    kept = summary(found)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.json").write_text(json.dumps(kept, indent=1) + "\n")
    (folder / "soak.md").write_text(page(kept))
    return kept


def summary(found):
    """The figures, without the samples but for the least memory of each minute: a slope alone does not say whence."""
    delays = found["delays"]
    return {
        "command": found["command"],
        "machine": machine(),
        "minutes": found["seconds"] / 60,
        "calls_per_second": found["calls_per_second"],
        **found["calls"],
        "restarts": found["restarts"],
        "p50_seconds": quantile(delays, 0.5),
        "p95_seconds": quantile(delays, 0.95),
        "complaints": found["complaints"],
        "processes": {name: process(samples) for name, samples in sorted(found["samples"].items())},
    }


def process(samples):
    """The figures of one process: what it took at the median, how that grew, how far it was behind."""
    late = settled(samples)
    line = slope([(at, own / MEBIBYTE) for at, own in _memory(late)])
    lags = [sample.lag for sample in late if sample.lag is not None]
    return {
        "memory_mb": round(median(sample.own_bytes for sample in late) / MEBIBYTE, 1),
        "slope_mb_per_hour": None if line is None else round(line.per_hour, 2),
        "upper_mb_per_hour": None if line is None else round(line.upper, 2),
        "within_target": None if line is None else line.upper <= TARGET_MB_AN_HOUR,
        "files": growth([sample.files for sample in late]),
        "threads": growth([sample.threads for sample in late]),
        "lag_most": max(lags, default=None),
        "lag_last": lags[-1] if lags else None,
        "processes": len({sample.pid for sample in samples}),
        "least_mb_by_minute": [round(least / MEBIBYTE, 1) for _, least in floors(_memory(samples))],
    }


def beyond(processes):
    """How many processes are beyond the target, and which; of how many a short run says nothing."""
    names = [name for name, each in processes.items() if each["within_target"] is False]
    unknown = sum(each["within_target"] is None for each in processes.values())
    told = f"{len(names)} of {len(processes)} processes are beyond the target of {TARGET_MB_AN_HOUR:g} MB an hour"
    return told + (f": {', '.join(names)}" if names else "") + (f"; {unknown} not measured" if unknown else "")


def _memory(samples):
    return [(sample.seconds, sample.own_bytes) for sample in samples]


def growth(values):
    """The medians of the first and the last third.

    >>> growth([1, 1, 1, 2, 2, 2, 3, 3, 3])
    [1, 3]
    """
    third = max(1, len(values) // 3)
    return [median(values[:third]), median(values[-third:])]


def page(kept):
    """The whole of `soak.md`."""
    calls = f"{kept['acknowledged']:,} acknowledged, {kept['stored']:,} stored, {kept['lost']} lost, "
    calls += f"{kept['duplicates']} twice, "
    calls += f"p50 {kept['p50_seconds']:.2f} s, p95 {kept['p95_seconds']:.2f} s, {kept['restarts']} restarts"
    head = HEAD.format(**{**kept, "calls": calls, "target": TARGET_MB_AN_HOUR})
    complaints = "".join(f"\n- {each}" for each in kept["complaints"])
    return head + "\n".join(line(name, each) for name, each in kept["processes"].items()) + "\n" + complaints


def line(name, each):
    """One process as a reader reads it."""
    within = {None: "–", True: "yes", False: "**no**"}[each["within_target"]]
    told = [name, each["memory_mb"], each["slope_mb_per_hour"], each["upper_mb_per_hour"], within]
    told += [" → ".join(f"{value:g}" for value in each[what]) for what in ("files", "threads")]
    told += [each["lag_most"], each["lag_last"]]
    return f"| {' | '.join('–' if value is None else str(value) for value in told)} |"
