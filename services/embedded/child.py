"""One operating-system process that cannot outlive the supervisor."""

import asyncio
import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not open files or take locks.
_LIBC = ctypes.CDLL(None)


class Child:
    """A process in a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone.

    The kernel kills it when the supervisor ends, even by SIGKILL. It must be started from the main thread, since the
    kernel counts the thread that forked as the parent.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], log: Path) -> "Child":
        """Start `command`; what it prints is appended to `log`, straight, so that no reader can block it."""
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )
        finally:
            os.close(descriptor)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id, which is also that of its session and group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for the end; the exit code, negative for a signal. What it left behind in its group is killed."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)
        return code

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, and kill it when it has not after `grace_seconds`."""
        if self.running:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_seconds)
        await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)
        await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def dies_with_parent() -> Callable[[], None]:
    """What a child of this process calls before it becomes another program (`preexec_fn`).

    The kernel then kills it when this process ends, even by SIGKILL. The child must be started from the main thread.
    """
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return tie
