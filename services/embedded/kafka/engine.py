"""Apache Kafka as the broker of the stack: one process on a log that outlives it."""

from dataclasses import dataclass
from typing import ClassVar

from services.embedded.broker import BrokerError, Prepared
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.jars import KafkaMissingError


@dataclass(frozen=True)
class OnDisk:
    """A cluster of one node; its id, and so the broker run, stays as long as its log."""

    cluster: Cluster
    kind: ClassVar[str] = "kafka"
    durable: ClassVar[bool] = True
    ready_seconds: ClassVar[float] = 90.0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.cluster.nodes[0].port

    def prepare(self) -> Prepared:
        """Format the log where it is new; raises `BrokerError`."""
        try:
            self.cluster.prepare()
        except KafkaMissingError as error:
            raise BrokerError(str(error)) from error
        return Prepared(self.cluster.command(self.cluster.nodes[0]), self.cluster.id)
