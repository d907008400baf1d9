"""Talking to a running supervisor from another process."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import psutil

from services.embedded.data_directory import DataDirectory

_ANSWER_SECONDS = 10.0
_LOOK_SECONDS = 0.25


class NotRunningError(Exception):
    """No supervisor uses this data directory, or it does not answer."""


class ControlClient:
    """The supervisor of one data directory."""

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        # Two programs of this machine: no proxy of the environment between them, and no certificates to load.
        self._http = httpx.Client(trust_env=False, verify=False, timeout=_ANSWER_SECONDS)  # noqa: S501

    @property
    def running(self) -> bool:
        """Whether a supervisor holds the data directory."""
        return self._data.in_use()

    def status(self) -> dict[str, Any]:
        """What the supervisor says of itself; raises `NotRunningError`."""
        answer: dict[str, Any] = self._ask("GET", "/status").json()
        return answer

    def stop(self) -> None:
        """Order the end; asked twice, nothing is waited for. Raises `NotRunningError`."""
        self._ask("POST", "/stop")

    def restart(self, part: str) -> None:
        """Order one part to be started again; raises `KeyError` where there is none of that name."""
        if self._ask("POST", f"/restart/{part}").status_code == httpx.codes.NOT_FOUND:
            raise KeyError(part)

    def until(self, condition: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any] | None:
        """The first status for which `condition` holds; None where none did within `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if condition(status := self.status()):
                    return status
            except NotRunningError:
                pass
            time.sleep(_LOOK_SECONDS)
        return None

    def until_gone(self, supervisor: int | None, seconds: float) -> bool:
        """Wait until nobody holds the data directory and the process `supervisor` has ended; whether both came."""
        until = time.monotonic() + seconds
        while self._data.in_use() or (supervisor is not None and alive(supervisor)):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _ask(self, method: str, path: str) -> httpx.Response:
        address = self._data.description().get("control")
        if address is None or not self.running:
            raise NotRunningError(f"nothing runs on {self._data.root}: `tidemark up` starts it")
        headers = {"Authorization": f"Bearer {self._data.secret()}"} if method == "POST" else {}
        try:
            return self._http.request(method, address + path, headers=headers)
        except httpx.HTTPError as error:
            raise NotRunningError(f"the supervisor of {self._data.root} does not answer: {error}") from error


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
