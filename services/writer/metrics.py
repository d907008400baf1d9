"""The numbers of the writer."""

from prometheus_client import Counter, Histogram

ROWS = Counter("tidemark_writer_rows_total", "Rows inserted, repeats included.", ["table"])
INSERTS = Histogram(
    "tidemark_writer_insert_seconds",
    "Duration of one insert.",
    ["table"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
