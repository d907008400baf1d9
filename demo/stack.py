"""The embedded stack, started and stopped for the demo."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.embedded.child import dies_with_parent
from services.embedded.data_directory import DataDirectory
from services.embedded.occupants import taken
from services.embedded.services import Ports

BASES = range(8700, 9700, 100)
STOP_SECONDS = 45
SETTINGS = {
    # A demo cannot wait for minutes: windows of seconds, and references from the first calls.
    "TIDEMARK_WINDOWER_INTERVAL_SECONDS": "5",
    "TIDEMARK_DRIFT_INTERVAL_SECONDS": "10",
    "TIDEMARK_DRIFT_REFERENCE_SIZE": "80",
    "TIDEMARK_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Addresses:
    """Where the parts of the stack listen; ports as in docs/architecture.md."""

    base: int

    def _url(self, offset: int) -> str:
        return f"http://127.0.0.1:{self.base + offset}"

    @property
    def gateway(self) -> str:
        """Takes calls."""
        return self._url(0)

    @property
    def console(self) -> str:
        """The page."""
        return self._url(1)

    @property
    def registry(self) -> str:
        """Versions and deployments."""
        return self._url(2)

    @property
    def store(self) -> str:
        """ClickHouse, read only."""
        return self._url(4)

    @property
    def supervisor(self) -> str:
        """Status of every part."""
        return self._url(6)


class StackError(RuntimeError):
    """The stack did not start, or ended by itself; the text says what to look at."""


class Stack:
    """`tidemark up` as a child of the demo, with a data directory of its own that each demo begins anew."""

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        self.data = data
        self.addresses = Addresses(_free_base())
        self._settings = {**SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts every part and returns at once; raises `StackError` while another stack runs on the directory.

        To be called from the main thread: the stack ends with it, however it ends.
        """
        if DataDirectory(self.data).in_use():
            raise StackError(f"another demo runs on {self.data}: end that one first")
        if self.data.exists():
            shutil.rmtree(self.data)
        self.data.mkdir(parents=True)
        command = [str(Path(sys.executable).with_name("tidemark")), "up"]
        command += ["--data", str(self.data), "--port-base", str(self.addresses.base)]
        command += [part for name, value in self._settings.items() for part in ("--set", f"{name}={value}")]
        with (self.data / "up.log").open("wb") as log:
            # A session of its own: Ctrl-C in the terminal is for the demo, which then stops the stack in order.
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509
            )

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        if self._process is None:
            raise StackError("the stack has not been started")
        return self._process.pid

    def check(self) -> None:
        """Raises `StackError` when the supervisor has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise StackError(f"`tidemark up` ended with {self._process.returncode}: see {self.data / 'up.log'}")

    def wait_for(self, url: str, seconds: float) -> None:
        """Waits until `url` answers 200; raises `StackError` when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            try:
                if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise StackError(f"{url} did not answer within {seconds:.0f} s: run `tidemark doctor --data {self.data}`")

    @property
    def api_key(self) -> str:
        """The key that the stack made."""
        return (self.data / "api-key").read_text().strip()

    def parts(self) -> list[dict[str, Any]]:
        """What `tidemark status --json` tells of each part: name, whether it is ready, and more."""
        answer = httpx.get(f"{self.addresses.supervisor}/status", timeout=10)
        parts: list[dict[str, Any]] = answer.json()["parts"]
        return parts

    def stop(self) -> None:
        """Stops every part in order; kills what does not stop in time."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)


def _free_base() -> int:
    for base in BASES:
        if not taken(Ports(base).all()):
            return base
    raise StackError(f"no base from {BASES.start} to {BASES.stop} has all ports free: stop what listens there")
