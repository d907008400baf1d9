"""The services of the embedded stack, as data: when each starts and stops, and what it is told.

>>> [service.name for service in SERVICES][:3]
['registry', 'gateway', 'console']
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Service:
    """One process: `python -m services.<name>`.

    `port` counts from the port base. Services of the same `start` begin together, when those before them answer, or,
    where they are `heavy` (load a model, with every core), when those are ready;
    those of the same `stop` end together, after those before them. `group` says that it has a consumer group;
    `environment` is what it is told, and `in_memory` what else where the broker's log is held in memory;
    `drains`, that the group's lag falls to nothing when nothing comes in (a fold keeps the offsets of open windows);
    `beside` names the groups that it has beside its own; `replays`, that it may read a topic again beside itself: it
    neither acts nor keeps state.
    """

    name: str
    port: int
    start: int
    stop: int
    group: bool = True
    drains: bool = True
    replays: bool = False
    heavy: bool = False
    beside: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    in_memory: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def groups(self) -> tuple[str, ...]:
        """Its consumer groups."""
        return (self.name, *self.beside) if self.group else ()

    @property
    def module(self) -> str:
        """What Python is asked to run."""
        return f"services.{self.name}"


_REGISTRY = {"TIDEMARK_REGISTRY_BOOTSTRAP_KEY": "{api_key}"}
_SPOOL = {
    "TIDEMARK_GATEWAY_SPOOL": "{data}/spool/gateway",
    # Named: a group that has not committed yet (its service is starting, or in a crash loop) is to be waited for, too.
    "TIDEMARK_GATEWAY_SPOOL_GROUPS": "{groups}",
    "TIDEMARK_GATEWAY_SPOOL_LIMIT_BYTES": "{spool_bytes}",
}

SERVICES: tuple[Service, ...] = (
    Service("registry", port=2, start=0, stop=2, environment=MappingProxyType(_REGISTRY)),
    Service("gateway", port=0, start=1, stop=0, group=False, in_memory=MappingProxyType(_SPOOL)),
    Service("console", port=1, start=1, stop=0, group=False),
    Service("writer", port=10, start=1, stop=3, replays=True),
    Service("latency", port=11, start=2, stop=1, replays=True),
    Service("toxicity", port=13, start=2, stop=1, replays=True, heavy=True),
    Service("hallucination", port=14, start=3, stop=1, replays=True, heavy=True),
    Service("guard", port=19, start=3, stop=1, replays=True, heavy=True),
    Service("quality", port=20, start=3, stop=1, replays=True, beside=("repeats",)),
    Service("windower", port=15, start=3, stop=1, drains=False),
    # Nobody waits for the first vector, but for the first scores.
    Service("embedder", port=12, start=4, stop=1, replays=True, heavy=True),
    Service("drift", port=16, start=5, stop=1, drains=False),
    Service("alerter", port=17, start=5, stop=1),
    Service("rollback", port=18, start=5, stop=1),
)
NAMES = tuple(service.name for service in SERVICES)


@dataclass(frozen=True)
class Ports:
    """Where everything listens, from one base."""

    base: int

    @property
    def clickhouse(self) -> int:
        """ClickHouse over HTTP, read and write."""
        return self.base + 3

    @property
    def clickhouse_readonly(self) -> int:
        """ClickHouse over HTTP for analysts."""
        return self.base + 4

    @property
    def broker(self) -> int:
        """The embedded broker."""
        return self.base + 5

    @property
    def controller(self) -> int:
        """Where the controller of Apache Kafka listens, if that is the broker."""
        return self.base + 7

    @property
    def control(self) -> int:
        """The supervisor's own port."""
        return self.base + 6

    def of(self, service: Service) -> int:
        """A service's health and metrics, and its API where it has one."""
        return self.base + service.port

    def all(self) -> dict[str, int]:
        """Every port by the name of who listens."""
        parts = {
            "clickhouse": self.clickhouse,
            "clickhouse read only": self.clickhouse_readonly,
            "broker": self.broker,
            "supervisor": self.control,
            "controller": self.controller,
        }
        return parts | {service.name: self.of(service) for service in SERVICES}
