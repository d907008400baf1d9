"""What the windower counts."""

from prometheus_client import Counter, Gauge

from services.windower.windower import Tally

COUNTERS = {
    "added": Counter("tidemark_windower_added_total", "Scores that entered a window, once an interval."),
    "repeated": Counter("tidemark_windower_repeated_total", "Scores that an open window held already."),
    "late": Counter("tidemark_windower_late_total", "Scores whose window was closed: stored, and in no window."),
}
REPLAYED = Counter("tidemark_windower_replayed_total", "Scores of a replay, which enter no window.")
AHEAD = Counter("tidemark_windower_ahead_total", "Scores of calls in the future: stored, and in no window.")
EMITTED = Counter("tidemark_windower_emitted_total", "Windows emitted, first or again.")
OPEN = Gauge("tidemark_windower_open_windows", "Windows that may still change, groups aside.", ["partition"])


def count(tally: Tally) -> None:
    """Count what `tally` holds, and empty it."""
    for name, counter in COUNTERS.items():
        counter.inc(getattr(tally, name))
        setattr(tally, name, 0)
