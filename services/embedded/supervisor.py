"""The supervisor: everything starts here, is watched from here, and ends here."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal

from services.embedded.broker import Broker
from services.embedded.broker_keeper import BrokerKeeper
from services.embedded.lag import Lag
from services.embedded.lag_watch import LagWatch
from services.embedded.log_files import rotate
from services.embedded.part import Part
from services.embedded.plan import Plan
from services.embedded.preparation import Preparation, PreparationError
from services.embedded.probes import Probes
from services.embedded.services import Service
from services.embedded.stack import Stack, stages, stopped_at

Phase = Literal["starting", "running", "changing the broker", "stopping"]
_GATEWAY_GRACE_SECONDS = 5.0
_ROTATE_SECONDS = 5.0
_CLICKHOUSE_SECONDS = 60.0
COMPLETE = "everything was started"


class Supervisor:
    """One run of the embedded stack; `tell` is given one sentence an event.

    Order: ClickHouse and the broker, topics and tables, then the services by rank. A stop goes the other way: the
    doors close, the consumers drain, the writer is the last of them, then ClickHouse and the broker.
    """

    def __init__(self, plan: Plan, prepare: Preparation, tell: Callable[[str], None]) -> None:
        self.plan, self._prepare, self._tell = plan, prepare, tell
        self.clickhouse = Part(plan.clickhouse, tell)
        self.stack = Stack(plan.services, {launch.name: Part(launch, tell) for launch in plan.launches}, tell)
        self.keeper = BrokerKeeper(plan.broker, self, tell)
        self.lags = LagWatch(plan.bootstrap, plan.config.kafka_prefix, plan.services)
        self.started_at = time.monotonic()
        self.complete = asyncio.Event()  # every rank was started once
        self._probes = Probes()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ranks: asyncio.Task[None] | None = None
        self._background: list[asyncio.Task[None]] = []

    @property
    def parts(self) -> list[Part]:
        """ClickHouse, then every service."""
        return [self.clickhouse, *self.stack.parts.values()]

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        if self._stop.is_set():
            return "stopping"
        if self.keeper.renewing:
            return "changing the broker"
        return "running" if self.complete.is_set() else "starting"

    @property
    def lag(self) -> dict[str, Lag]:
        """The newest look at the consumer groups."""
        return self.lags.newest

    def stop(self) -> None:
        """Ask for the end; asked twice, nothing is waited for."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def run(self) -> None:
        """Start everything, watch it until `stop`, end everything. Nothing is left when it returns or raises."""
        self._spawn(self._probe(), self._rotate())
        running = asyncio.create_task(self._start_and_watch())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            self._stop.set()
            await _cancel(running, stopping)
            await self._end()

    async def restart(self, name: str) -> None:
        """End one part gracefully and start it again; the broker gets a new log. Raises `KeyError`."""
        if name == "broker":
            self.keeper.renew()
            return
        parts = {part.launch.name: part for part in self.parts}
        await parts[name].restart(self.plan.config.stop_seconds)

    async def drain(self) -> None:
        """Close the gateway and wait, within bounds, until the scorers and the writer have everything."""
        await self._cancel_ranks()
        await self.stack.hold(lambda service: service.name == "gateway", _GATEWAY_GRACE_SECONDS)
        await self._drained(self.plan.config.drain_seconds)

    async def before(self) -> None:
        """Kill every consumer: what it had in hand comes again, its offsets mean nothing to the next broker."""
        await self._cancel_ranks()
        await self.lags.forget()
        await self.stack.hold(lambda service: service.group, 0)

    async def after(self, broker: Broker) -> None:
        """Apply the topics and start whatever does not run."""
        await self._prepare.broker(broker.port)
        if self.complete.is_set() or self._ranks is not None:
            self._begin_ranks()

    async def _start_and_watch(self) -> None:
        self.clickhouse.release()
        await self.keeper.start()
        if not await self.clickhouse.until_ready(_CLICKHOUSE_SECONDS):
            raise PreparationError(f"ClickHouse does not answer: see {self.plan.clickhouse.log}")
        await self._prepare.clickhouse()
        self._begin_ranks()
        self._spawn(self.lags.watch(lambda: self.keeper.alive))
        await self.keeper.watch()

    def _begin_ranks(self) -> None:
        # On a durable log the broker's return finds a start that went on without it.
        if self._ranks is None or self._ranks.done():
            self._ranks = asyncio.create_task(self._start_ranks())

    async def _start_ranks(self) -> None:
        await self.stack.start(self.plan.config.ready_seconds)
        if not self.complete.is_set():
            self.complete.set()
            self._tell(COMPLETE)

    async def _cancel_ranks(self) -> None:
        if self._ranks is not None:
            await _cancel(self._ranks)

    async def _end(self) -> None:
        """Stop in order, or at once when asked twice."""
        orderly = asyncio.create_task(self._end_in_order())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait([orderly, hurried], return_when=asyncio.FIRST_COMPLETED)
        await _cancel(orderly, hurried)
        await _cancel(*self._background)
        await self.lags.forget()
        await asyncio.gather(*(part.stop(0) for part in self.parts))
        await self.keeper.stop()
        await self._probes.close()

    async def _end_in_order(self) -> None:
        config, services = self.plan.config, self.stack.services
        await self._cancel_ranks()
        for stage in stages(services):
            if stage in (1, 3) and self.complete.is_set() and self.keeper.alive:
                await self._drained(config.drain_seconds)
            await self.stack.stop(stopped_at(stage), config.stop_seconds)
        await self.clickhouse.stop(config.stop_seconds)

    async def _drained(self, seconds: float) -> None:
        draining = [service.name for service in self.stack.services if self._drains(service)]
        if behind := await self.lags.until_nothing(draining, seconds):
            said = (f"{name} is {'an unknown number' if lag is None else lag} behind" for name, lag in behind.items())
            self._tell(f"not drained in time: {', '.join(said)}")

    def _drains(self, service: Service) -> bool:
        return service.group and service.drains and self.stack.parts[service.name].state == "ready"

    async def _probe(self) -> None:
        while True:
            with suppress(OSError):
                await self._probes.look(self.parts)
            settled = all(part.state == "ready" for part in self.parts)
            await asyncio.sleep(2.0 if settled else 0.2)

    async def _rotate(self) -> None:
        while True:
            for log in self.plan.data.logs.glob("*.log"):
                with suppress(OSError):  # a full disk: tried again
                    rotate(log, self.plan.config.log_bytes)
            await asyncio.sleep(_ROTATE_SECONDS)

    def _spawn(self, *work: Coroutine[None, None, None]) -> None:
        self._background += [asyncio.create_task(one) for one in work]


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # what one of them died of must not leave the others behind
