"""How much memory the stack takes: pages that processes share are counted once (PSS)."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import psutil


def tree(pid: int) -> dict[int, int]:
    """Bytes (PSS) of the process `pid` and of everything that descends from it; empty where it is gone."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    return {process.pid: used for process in processes if (used := proportional_bytes(process.pid)) is not None}


def proportional_bytes(pid: int) -> int | None:
    """Bytes (PSS) of one process; None where it is gone."""
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.Error:
        return None


def resident_bytes(pid: int) -> int:
    """Bytes (RSS) of one process, cheap to ask for; 0 where it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


@dataclass
class Peak:
    """The largest sum seen of what a process tree takes.

    Whoever wants the peak calls `look` often enough: the kernel keeps none for a tree.
    """

    pid: int = 0
    bytes: int = 0
    measure: Callable[[int], dict[int, int]] = tree

    def look(self) -> int:
        """The sum at this moment, in bytes."""
        used = sum(self.measure(self.pid or os.getpid()).values())
        self.bytes = max(self.bytes, used)
        return used
