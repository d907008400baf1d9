"""One decision from its first bad window to its verified rollback, on an application of its own."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
from msgspec.structs import replace

from schemas.ids import derived_id
from schemas.topics import WINDOWS
from services.shared.kafka import Kafka
from services.shared.producer import Producer, Writes
from tests.unit.alerter.streams import a_window

INTERVAL = timedelta(seconds=60)
BAD, GOOD = [0.6, 0.1] * 10, [0.01, 0.02] * 10


class Decision:
    """The application `app`, whose version v2 turns bad after v1; `state` is how far its decision has come."""

    def __init__(self, place, app):
        self.app, self._place = app, place
        self._file = place.data / "state" / "rollback.sqlite"

    def deploy(self):
        """v1, then v2."""
        with self._registry() as registry:
            for version in ("v1", "v2"):
                body = {"app": self.app, "version": version, "bundle": {"model": version}}
                registry.post("/v1/versions", json=body).raise_for_status()
                registry.put(self._path, json={"version": version}).raise_for_status()

    def turn_bad(self):
        """Two windows of v2 that fire."""
        self._send("v2", BAD, (-2, -1))

    def turn_good(self):
        """Three windows of v1 that show it well."""
        self._send("v1", GOOD, (1, 2, 3))

    @property
    def state(self):
        """What rollback has written down; empty before it has."""
        target = f"local|{self.app}|production"
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5)) as kept:
            found = kept.execute("SELECT state FROM decisions WHERE target = ?", (target,)).fetchall()
        assert len(found) <= 1, f"{len(found)} decisions on one bad version"
        return found[0][0] if found else ""

    def history(self):
        """The versions that were deployed, in order."""
        with self._registry() as registry:
            answer = registry.get(f"{self._path}/history").raise_for_status()
        return [made["version"] for made in answer.json()["deployments"]]

    @property
    def _path(self):
        return f"/v1/deployments/{self.app}/production"

    def _registry(self):
        place = self._place
        headers = {"Authorization": f"Bearer {place.api_key}"}
        return httpx.Client(base_url=place.services["registry"].url, headers=headers, timeout=30)

    def _send(self, version, values, minutes):
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        windows = [self._window(version, values, now + INTERVAL * number) for number in minutes]

        async def send():
            async with Producer(Kafka(self._place.bootstrap)) as producer:
                await producer.send(windows, Writes(WINDOWS))

        asyncio.run(send())

    def _window(self, version, values, start):
        made = a_window("response_toxicity", values, version=version, interval=INTERVAL.seconds)
        return replace(
            made,
            window_id=derived_id("window", self.app, version, start),
            segment=replace(made.segment, tenant="local", app=self.app),
            window_start=start,
            window_end=start + INTERVAL,
        )
