"""What one run of the stack consists of, worked out before anything starts."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.embedded.broker import Engine, InMemory
from services.embedded.broker_keeper import BrokerPlace
from services.embedded.config import Config, Environment, unknown_variables
from services.embedded.data_directory import DataDirectory
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.engine import OnDisk
from services.embedded.kafka.jars import fetch
from services.embedded.kafka.java import java
from services.embedded.part import Launch
from services.embedded.services import SERVICES, Ports, Service


@dataclass(frozen=True)
class Plan:
    """Who runs, where, and with which environment."""

    config: Config
    data: DataDirectory
    ports: Ports
    services: tuple[Service, ...]
    broker: BrokerPlace
    clickhouse: Launch
    launches: tuple[Launch, ...]

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return f"127.0.0.1:{self.ports.broker}"

    @property
    def clickhouse_url(self) -> str:
        """ClickHouse over HTTP, read and write."""
        return f"http://127.0.0.1:{self.ports.clickhouse}"

    @property
    def control_url(self) -> str:
        """The supervisor's own address."""
        return f"http://127.0.0.1:{self.ports.control}"


def plan(
    config: Config,
    outside: Mapping[str, str],
    cores: int | None = None,
    *,
    tell: Callable[[str], None] | None = None,
) -> Plan:
    """Work out a run; makes the data directory and its secrets, and brings Apache Kafka where that is wanted.

    Raises `ValueError` for a variable that nothing would read, a port of one service, a service that does not exist and
    another broker than the data directory has, and `KafkaMissingError` where Apache Kafka is wanted and cannot be had.
    `tell` is given a sentence before anything that takes long.
    """
    if unknown := unknown_variables(outside):
        raise ValueError(f"{', '.join(sorted(unknown))}: no part of the stack reads this; is it misspelt?")
    services = tuple(service for service in SERVICES if service.name not in config.left_out)
    data, ports = DataDirectory(config.data), Ports(config.port_base)
    data.create()
    engine, cores = _engine(config, data, ports, tell), cores or os.cpu_count() or 1
    environment = Environment(config, data, outside, durable=engine.durable)
    return Plan(
        config=config,
        data=data,
        ports=ports,
        services=services,
        broker=BrokerPlace(engine, environment.process(cores), data.log("broker"), config.broker_memory_bytes),
        clickhouse=_clickhouse(data, ports, environment.process(cores) | environment.shared()),
        launches=tuple(_service(service, data, ports, environment.of(service, cores)) for service in services),
    )


def _engine(config: Config, data: DataDirectory, ports: Ports, tell: Callable[[str], None] | None) -> Engine:
    kind = data.broker(config.broker)
    if kind != OnDisk.kind:
        return InMemory(ports.broker)
    pairs = [(ports.broker, ports.controller)]
    return OnDisk(Cluster.of(data.root / "kafka", pairs, java=java(), jars=fetch(tell=tell)))


def _clickhouse(data: DataDirectory, ports: Ports, environment: Mapping[str, str]) -> Launch:
    told = {
        "TIDEMARK_EMBEDDED_PORT_BASE": str(ports.base),
        "JE_MALLOC_CONF": "dirty_decay_ms:1000",  # what merges free goes back to the system after one second, not five
    }
    return Launch(
        name="clickhouse",
        command=(sys.executable, "-m", "services.embedded.clickhouse"),
        environment={**environment, **told},
        log=data.log("clickhouse"),
        port=ports.clickhouse,
        ready_url=f"http://127.0.0.1:{ports.clickhouse}/ping",
    )


def _service(service: Service, data: DataDirectory, ports: Ports, environment: Mapping[str, str]) -> Launch:
    return Launch(
        name=service.name,
        command=(sys.executable, "-m", service.module),
        environment=environment,
        log=data.log(service.name),
        port=ports.of(service),
        ready_url=f"http://127.0.0.1:{ports.of(service)}/health/ready",
    )
