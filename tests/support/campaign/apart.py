"""The place of a fault that keeps something away: brokers, engine and services, each in the test's own hand."""

import asyncio
import threading
from contextlib import ExitStack, closing, suppress

import clickhouse_connect
import httpx

from schemas import clickhouse
from schemas.topics import every_topic
from services.shared.kafka import Kafka
from services.shared.topics import apply
from tests.support.campaign.store import Store
from tests.support.engine import Engine
from tests.support.kafka_broker import Apache
from tests.support.service_process import ServiceProcess

LIGHT = ("registry", "gateway", "writer", "latency", "windower")
KEY, SECRET = "tdm_of-the-campaign", "a long text that nobody else knows"


class Apart:
    """Apache Kafka, ClickHouse's engine and light services; a service that ends is started again after a second.

    Brokers and engine are not: `kafka` and `engine` end and start them.
    """

    spools = ()

    def __init__(self, folder, *, brokers=1, services=LIGHT, engine_data=None):
        self.data, self._names = folder / "data", services
        self.data.mkdir()
        self.kafka = Apache(brokers)
        self.bootstrap = self.kafka.bootstrap
        self.engine = Engine(engine_data or folder / "engine")
        self.store = Store(self.engine.url)
        self.api_key, self.services, self.restarts = KEY, {}, 0
        self._ending, self._open = threading.Event(), ExitStack()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self):
        self._open.callback(self.kafka.stop)
        self.kafka.start()
        self._open.callback(self.engine.stop)
        self.engine.start()
        asyncio.run(apply(Kafka(self.bootstrap), every_topic()))
        with closing(clickhouse_connect.get_client(host="127.0.0.1", port=self.engine.ports.clickhouse)) as client:
            clickhouse.apply(client, clickhouse.Names())
        self._start_services()
        self._keeper.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._keeper.join()
        self._open.close()

    @property
    def gateway(self):
        """Where calls go."""
        return self.services["gateway"].url

    @property
    def ready(self):
        """Whether every service says that it is."""
        with suppress(httpx.HTTPError):
            return all(httpx.get(f"{each.url}/health/ready", timeout=5).is_success for each in self.services.values())
        return False

    def pid(self, name):
        """The process of a service; None while there is none."""
        return self.services[name].pid

    def _start_services(self):
        told = {
            "TIDEMARK_DATA": str(self.data),
            "TIDEMARK_KAFKA_BOOTSTRAP": self.bootstrap,
            "TIDEMARK_CLICKHOUSE_URL": self.engine.url,
            "TIDEMARK_SECRET": SECRET,
        }
        for name in self._names:
            service = ServiceProcess(name, self.data, **told, **self._own(name))
            told.setdefault("TIDEMARK_REGISTRY_URL", service.url)  # the registry is the first
            self.services[name] = service
            self._open.callback(service.kill)
            service.start()
        for service in self.services.values():
            service.ready()

    def _own(self, name):
        return {"TIDEMARK_REGISTRY_BOOTSTRAP_KEY": KEY} if name == "registry" else {}

    def _keep(self):
        while not self._ending.wait(1.0):
            for service in self.services.values():
                if service.pid is None:
                    self.restarts += 1
                    service.start()
