"""A service as a real process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from services.embedded.child import dies_with_parent
from tests.support.broker import lasting_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 150


class ServiceProcess:
    """`python -m services.<name>` with an environment of its own, its log in a file."""

    def __init__(self, name: str, folder: Path, **variables: str) -> None:
        self.name, self._log = name, folder / f"{name}.log"
        self.port = lasting_port()
        self.url = f"http://127.0.0.1:{self.port}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")}
        port = {f"TIDEMARK_{name.upper()}_HTTP_PORT": str(self.port)}
        self._environment = {**inherited, **variables, **port, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", f"services.{self.name}"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, preexec_fn=dies_with_parent()
            )

    def ready(self) -> None:
        """Wait until the service says that it is."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.runs():
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise TimeoutError(f"{self.name} is not ready:\n{self._log.read_text()[-4000:]}")

    def kill(self) -> None:
        """As the machine would: nothing is finished."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """As a supervisor would; the exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(120)
        self._process = None
        return code

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None and self.runs() else None

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text()

    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None
