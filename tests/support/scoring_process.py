"""The small service (`tests.support.scoring_service`) as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from services.embedded.child import dies_with_parent
from tests.support.broker import free_port

ROOT = Path(__file__).parents[2]


class Started:
    """One process, its data and its log in `folder`; `variables` are its environment."""

    def __init__(self, kafka, folder, **variables) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        given = {
            "TIDEMARK_DATA": str(folder),
            "TIDEMARK_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "TIDEMARK_KAFKA_PREFIX": kafka.prefix,
            "TIDEMARK_LATENCY_HTTP_PORT": str(port),
            "TIDEMARK_LATENCY_SESSION_SECONDS": "3",
            "BEGUN": str(folder / "begun"),
        }
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        self._folder = folder
        self._log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.scoring_service"],
            env={**outside, **given, **variables},
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=dies_with_parent(),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.end(signal.SIGKILL)
        self._log.close()

    def ready(self) -> bool:
        """Whether it says that it is."""
        return self.asked("/health/ready") == 200

    def asked(self, path: str) -> int:
        """The status of an answer; 0 where there is none."""
        try:
            return httpx.get(f"{self.url}{path}").status_code
        except httpx.TransportError:
            return 0

    def begun(self) -> bool:
        """Whether a batch was begun."""
        return (self._folder / "begun").exists()

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self, seconds: float = 150) -> int:
        """Wait for its end."""
        code = self.process.wait(seconds)
        self._log.close()
        return code

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._folder / "log").read_text()
