"""The numbers of the writer."""

from prometheus_client import Counter, Gauge, Histogram

from services.writer.completeness.check import KINDS, Check

ROWS = Counter("tidemark_writer_rows_total", "Rows inserted, repeats included.", ["table"])
INSERTS = Histogram(
    "tidemark_writer_insert_seconds",
    "Duration of one insert.",
    ["table"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
MISSING = Gauge("tidemark_writer_missing", "Offsets of the log, and numbered calls, that should be stored.", ["kind"])
PENDING = Gauge("tidemark_writer_pending", "Offsets of the log, and numbered calls, that may still come.", ["kind"])
OLDEST_GAP_SECONDS = Gauge("tidemark_writer_oldest_gap_seconds", "Age of the oldest gap, pending or missing.")
CHECKED_AT = Gauge("tidemark_writer_completeness_checked_timestamp_seconds", "When completeness was last checked.")


def show(check: Check) -> None:
    """Set the gauges of completeness."""
    for kind in KINDS:
        MISSING.labels(kind).set(check.missing(kind))
        PENDING.labels(kind).set(check.pending(kind))
    OLDEST_GAP_SECONDS.set(check.oldest_seconds)
    CHECKED_AT.set(check.checked_at.timestamp())
