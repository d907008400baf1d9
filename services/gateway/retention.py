"""When an accepted message may be forgotten: what was made of it is stored, too.

A message is safe when every consumer has taken it, and everything that was made of it, and so on to the end of the
chain. So a segment passes phases: note where every topic ends; wait until every consumer group has committed that
much; by then everything made of it is on its topics. After as many phases as the chain has links, all of it is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.topics import CALLS, Topic
from services.gateway.spool import Segment

PHASES = 6  # calls, then answers, scores and embeddings, windows, alerts, commands and outcomes
KEPT_SECONDS = 300.0

Offsets = Mapping[tuple[str, int], int]  # by topic (without prefix) and partition


@dataclass(frozen=True)
class Progress:
    """How far every topic reaches and every group has come, in one broker run."""

    run: str
    ends: Offsets
    committed: Mapping[str, Offsets]  # by group
    reads: Mapping[str, Sequence[str]]  # by group: the topics that it has to commit


def readers(topics: Sequence[Topic[Any]], running: Collection[str]) -> dict[str, list[str]]:
    """The topics that each group has to commit; a compacted topic is repeated by its owner and left out."""
    return {
        group: [topic.name for topic in topics if group in topic.consumers and topic.cleanup == "delete"]
        for group in running
    }


def passed(snapshot: Offsets, progress: Progress) -> bool:
    """Whether every group has committed what the topics held at the snapshot; never so where nobody reads calls."""
    needed = [
        (group, place, end)
        for group, topics in progress.reads.items()
        for place, end in snapshot.items()
        if place[0] in topics and end > 0
    ]
    somebody = any(CALLS.name in topics for topics in progress.reads.values())
    return somebody and all(progress.committed.get(group, {}).get(place, 0) >= end for group, place, end in needed)


def advance(segment: Segment, progress: Progress, now_seconds: float) -> bool:
    """Move the segment through its phases; whether it may be deleted."""
    if segment.closed_at_seconds is None or segment.sent_run != progress.run:
        return False
    if not segment.snapshot:
        segment.snapshot = dict(progress.ends)
    elif segment.phase < PHASES and passed(segment.snapshot, progress):
        segment.phase, segment.snapshot = segment.phase + 1, dict(progress.ends)
    return segment.phase >= PHASES and now_seconds - segment.closed_at_seconds >= KEPT_SECONDS
