"""What the drift service counts."""

from prometheus_client import Counter, Gauge

from services.drift.drift import Tally

COUNTERS = {
    "added": Counter("tidemark_drift_added_total", "Embeddings that entered the sample of a window."),
    "repeated": Counter(
        "tidemark_drift_unused_total", "Embeddings that changed no sample: repeats, and beyond its size."
    ),
    "late": Counter("tidemark_drift_late_total", "Embeddings whose window was closed: stored, and in no sample."),
    "referenced": Counter("tidemark_drift_referenced_total", "Embeddings that became part of a reference."),
    "tested": Counter("tidemark_drift_tests_total", "Tests of a window against its reference."),
    "too_few": Counter("tidemark_drift_untested_total", "Windows with too few calls or without a reference."),
    "improbable": Counter(
        "tidemark_drift_improbable_total", "Embeddings of calls kept less than once in a million: in no sample."
    ),
}
REPLAYED = Counter("tidemark_drift_replayed_total", "Embeddings of a replay, which enter no sample.")
AHEAD = Counter("tidemark_drift_ahead_total", "Embeddings of calls in the future: stored, and in no sample.")
OPEN = Gauge("tidemark_drift_open_windows", "Windows that may still change.", ["partition"])


def count(tally: Tally) -> None:
    """Count what `tally` holds, and empty it."""
    for name, counter in COUNTERS.items():
        counter.inc(getattr(tally, name))
        setattr(tally, name, 0)
