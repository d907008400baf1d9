"""What became of everything that was emitted."""

from __future__ import annotations

from typing import NamedTuple


class Stats(NamedTuple):
    """Counts of calls and feedback since the client (or the forked process) began.

    `emitted = acknowledged + rejected + dropped + sampled_out + queued` once nothing moves.
    """

    emitted: int  # handed over, whatever became of it
    acknowledged: int  # the gateway or Kafka has it, or it lies fsynced in the spool
    spooled: int  # of these, and of what dead processes left: in the spool
    rejected: int  # refused for good, in the local reject file
    dropped: int  # lost, and counted: the queue or the spool was full
    queued: int  # in memory, promised to nobody
    sampled_out: int  # left out on purpose
    masking_failures: int  # texts dropped because a mask failed


NOTHING = Stats(*[0] * len(Stats._fields))
