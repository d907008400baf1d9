"""Figures out of what was seen: delays, stalls, and how fast a backlog went."""

import math
from itertools import pairwise
from typing import NamedTuple


class Point(NamedTuple):
    """One look: seconds of the wall clock, calls acknowledged by then, calls stored by then."""

    at: float
    acknowledged: int
    stored: int


def quantile(values, share):
    """The value below or at which a share of the values lies (nearest rank); None of nothing.

    >>> quantile([3.0, 1.0, 2.0], 0.5), quantile([], 0.5)
    (2.0, None)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def stall(points):
    """The longest time from one look that saw more stored to the next one that did, while calls came in; seconds.

    >>> stall([Point(0, 1, 1), Point(1, 2, 1), Point(4, 5, 5), Point(5, 6, 6)])
    4
    """
    longest, since = 0.0, None
    for before, point in pairwise(points):
        if since is None:
            since = before.at
        if point.stored > before.stored:
            longest, since = max(longest, point.at - since), point.at
        elif before.stored >= before.acknowledged:
            since = before.at  # nothing was waited for by then
    return longest


def catch_up(points, back, calls_per_second, near_seconds=3.0):
    """How fast the backlog went after `back`, in units of the live rate; None where there was none, or it stayed.

    Caught up is who lacks no more than what `near_seconds` of load bring.
    """
    after = [point for point in points if point.at >= back]
    near = near_seconds * calls_per_second
    if not after or after[0].acknowledged - after[0].stored <= near:
        return None
    caught = next((point for point in after if point.acknowledged - point.stored <= near), None)
    if caught is None:
        return None
    return (caught.stored - after[0].stored) / (caught.at - after[0].at) / calls_per_second
