"""The place of a fault: the supervised stack on Apache Kafka."""

import json
import os
from contextlib import suppress
from http.client import HTTPException
from urllib.request import urlopen

from tests.support.campaign.store import Store
from tests.support.stack import Stack

LIGHT = ("registry", "gateway", "writer", "latency", "windower", "alerter", "rollback")


class OnStack:
    """`tidemark up --broker kafka` with the light services; what is killed, the supervisor starts again."""

    spools = ()  # the log outlives its broker, so the gateway needs none

    def __init__(self, folder, services=LIGHT, **settings):
        self.data = folder / "data"
        self.stack = Stack(self.data, services, broker="kafka", **settings)
        self.services = services

    def __enter__(self):
        try:
            self.stack.up()
        except BaseException:  # who is interrupted while it starts leaves nothing running
            self.stack.tidemark("down")
            raise
        self.bootstrap = f"127.0.0.1:{self.stack.ports.broker}"
        self.gateway = f"http://127.0.0.1:{self.stack.ports.base}"
        self.store = Store(f"http://127.0.0.1:{self.stack.ports.clickhouse}")
        self.api_key = (self.data / "api-key").read_text().strip()
        return self

    def __exit__(self, *_):
        self.stack.tidemark("down")

    @property
    def parts(self):
        """Every part by name; empty while the supervisor does not answer."""
        address = f"http://127.0.0.1:{self.stack.ports.control}/status"
        with suppress(OSError, ValueError, HTTPException), urlopen(address, timeout=10) as answer:
            return {part["name"]: part for part in json.load(answer)["parts"]}
        return {}

    @property
    def ready(self):
        """Whether every part is."""
        parts = self.parts
        return bool(parts) and all(part["ready"] for part in parts.values())

    @property
    def restarts(self):
        """How often parts were started again."""
        return sum(part["restarts"] for part in self.parts.values())

    def pid(self, name):
        """The process of a part; None while there is none."""
        return self.parts.get(name, {}).get("pid")

    def signal(self, name, number):
        """Send a signal to a part that runs; its process id."""
        while (pid := self.pid(name)) is None:
            continue
        os.kill(pid, number)
        return pid
