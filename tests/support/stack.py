"""The embedded stack through the command, as a person runs it."""

import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import Request, urlopen

from services.embedded.occupants import taken
from services.embedded.services import NAMES, Ports

LIGHT = ("registry", "gateway", "writer", "latency")
START_SECONDS = 600


class Stack:
    """A stack of some services in its own data directory, on its own ports.

    Settings are the supervisor's, or whole variables of a service.
    """

    def __init__(self, folder, services=LIGHT, **settings):
        self.data = Path(folder)
        self.ports = Ports(_free_base())
        self.services = services
        self._settings = {_variable(name): str(value) for name, value in settings.items()}

    def tidemark(self, *arguments, **variables):
        """Run a subcommand on this stack's data directory; its exit code and what it printed."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        return subprocess.run(
            [sys.executable, "-c", "from cli.main import main; main()", *arguments],
            env={**known, **self._settings, "TIDEMARK_DATA": str(self.data), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )

    def up(self):
        without = [f"--without={name}" for name in NAMES if name not in self.services]
        done = self.tidemark("up", "--detach", "--json", f"--port-base={self.ports.base}", *without)
        assert done.returncode == 0, done.stderr + (self.data / "logs" / "supervisor.log").read_text()
        return json.loads(done.stdout)

    def down(self):
        done = self.tidemark("down")
        assert done.returncode == 0, done.stderr

    def status(self):
        return json.loads(self.tidemark("status", "--json").stdout)

    def pids(self):
        described = json.loads((self.data / "supervisor.json").read_text())
        return {**described["pids"], "supervisor": described["pid"]}

    def post(self, calls):
        """Send calls to the gateway until each is stored; a broker may be on its way."""
        key = (self.data / "api-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        address = f"http://127.0.0.1:{self.ports.base}/v1/calls"
        left = calls
        while left:
            body = json.dumps({"calls": left}).encode()
            try:
                with urlopen(Request(address, body, headers), timeout=30) as answer:
                    results = json.loads(answer.read())["results"]
            except OSError:
                time.sleep(0.2)
                continue
            assert "rejected" not in {result["status"] for result in results}, results
            left = [call for call, result in zip(left, results, strict=True) if result["status"] == "retry"]

    def ask(self, query):
        """One number out of ClickHouse."""
        address = f"http://127.0.0.1:{self.ports.clickhouse}/?database=tidemark"
        with urlopen(Request(address, query.encode()), timeout=30) as answer:
            return int(answer.read())

    def until(self, query, expected):
        """Wait until a query answers a number; the test's own timeout ends the wait."""
        while (found := self.ask(query)) != expected:
            assert found < expected, f"{query}: {found}, more than {expected}"
            time.sleep(0.3)

    def until_at_least(self, query, wanted):
        """Wait until a query answers that much, through whatever restarts meanwhile."""
        while True:
            with suppress(OSError):
                if self.ask(query) >= wanted:
                    return
            time.sleep(0.2)


def _variable(name):
    return name if name.startswith("TIDEMARK_") else f"TIDEMARK_EMBEDDED_{name.upper()}"


def _free_base():
    # Below the ports that the system gives to outgoing connections: one of these could sit where a part comes back.
    while taken(Ports(base := random.randrange(10_000, 32_000, 20)).all()):
        continue
    return base
