"""Targets of time: limits of a run's figures, by the figure's name."""

AT_LEAST = frozenset({"catch_up"})  # every other figure is to be at most its limit
# Of runs that were written down before a record held its targets, by the fault's name.
BEFORE = {
    "clickhouse_away": {"catch_up": 3},
    "disk_full": {"catch_up": 3},
    "killed_services": {"p95_seconds": 30, "recovery_seconds": 20},
    "rolling_restarts": {"stall_seconds": 10},
    "zombies": {"stall_seconds": 10},
}


def meets(name, figure, limit):
    """Whether a figure keeps its limit; None where it was not measured.

    >>> meets("stall_seconds", 16.75, 10), meets("catch_up", 5.2, 3), meets("catch_up", None, 3)
    (False, True, None)
    """
    if figure is None:
        return None
    return figure >= limit if name in AT_LEAST else figure <= limit
