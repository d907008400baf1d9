"""The end of a process and its forks, for every client that lives."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Protocol
from weakref import WeakSet


class Living(Protocol):
    """What has to be told."""

    def close(self) -> None:
        """The process ends."""

    def reborn(self) -> None:
        """The process was forked off: nothing of the parent's may be touched or sent."""


_living: WeakSet[Living] = WeakSet()


def watch(client: Living) -> None:
    """Tell `client` when the process ends or has been forked."""
    _living.add(client)


def watch_worker(client: Living) -> None:
    """Tell `client` when a worker of `multiprocessing` ends: those leave without `atexit`."""
    multiprocessing = sys.modules.get("multiprocessing.util")
    if multiprocessing is not None:
        multiprocessing.Finalize(client, client.close, exitpriority=100)


def _close_all() -> None:
    for client in list(_living):
        client.close()


def _reborn() -> None:
    for client in list(_living):
        client.reborn()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_reborn)
