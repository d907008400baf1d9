"""The load: applications in processes of their own, with a ledger and a spool."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass

ID_BYTES = 37  # of a line of the ledger
SETTLE_SECONDS = 600


@dataclass(frozen=True)
class Load:
    """At least so many acknowledged calls, at this rate."""

    calls: int
    calls_per_second: float


class Emitting:
    """The application while it runs; ends with the block."""

    def __init__(self, place, load):
        self.load, self._place = load, place
        self._folder = place.data / "application"
        self.ledger, self.spool = self._folder / "ledger", self._folder / "spool"
        self._process = None

    def __enter__(self):
        self._folder.mkdir()
        self.ledger.touch()
        with (self._folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.campaign.emitter", json.dumps(self._told())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        return self

    def __exit__(self, *_):
        for stream in (self._process.stdin, self._process.stdout):
            stream.close()
        self._process.kill()
        self._process.wait()

    @property
    def acknowledged(self):
        """How many calls the ledger has."""
        return self.ledger.stat().st_size // ID_BYTES

    def until(self, calls):
        """Wait until so many are acknowledged; the test's own timeout ends the wait."""
        while self.acknowledged < calls:
            assert self._process.poll() is None, (self._folder / "errors").read_text()
            time.sleep(0.1)

    def stop(self):
        """Emit no more, wait until memory and spool are empty; what became of the calls."""
        said, _ = self._process.communicate(timeout=SETTLE_SECONDS + 60)
        assert self._process.returncode == 0, (self._folder / "errors").read_text()
        return json.loads(said)

    def _told(self):
        client = {
            "url": self._place.gateway,
            "api_key": self._place.api_key,
            "app": "harbour",
            "environment": "campaign",
            "version": "v1",
            "spool": str(self.spool),
            "ledger": str(self.ledger),
            "longest_backoff_seconds": 1.0,
            "poll_seconds": 0,
        }
        return {"client": client, "calls_per_second": self.load.calls_per_second, "settle_seconds": SETTLE_SECONDS}
