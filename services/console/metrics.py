"""The numbers of the console."""

from prometheus_client import Histogram

QUERY = Histogram(
    "tidemark_console_query_seconds",
    "Duration of the queries behind one panel.",
    ["panel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5),
)
