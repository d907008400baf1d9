"""A session that the broker does not grant: nobody can join with it until a person changes it."""

from typing import Any

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from services.shared.errors import Unusable
from services.shared.kafka import Kafka, answer
from services.shared.settings import ServiceSettings, variables

BOUNDS = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")


async def refused(config: ServiceSettings) -> Unusable:
    """The error that names the setting, what the broker grants, and the remedy.

    aiokafka would try for ever, and Faust stand still without a word.
    """
    name = variables(type(config))["session_seconds"]
    granted = await _granted(Kafka.of(config))
    return Unusable(
        f"{name} is {config.session_seconds:g}, and the broker grants {granted}: "
        f"set it within, or change the broker's {' and '.join(BOUNDS)}"
    )


async def _granted(kafka: Kafka) -> str:
    try:
        least, most = await answer(_bounds(kafka))
    except (KafkaError, OSError, TimeoutError, ValueError, KeyError):
        return "other sessions"  # it need not tell everybody
    return f"{least / 1000:g} to {most / 1000:g} s"


async def _bounds(kafka: Kafka) -> tuple[int, int]:
    admin = kafka.admin()
    try:
        await admin.start()
        (node, *_) = (await admin.describe_cluster())["brokers"]
        asked = ConfigResource(ConfigResourceType.BROKER, str(node["node_id"]))
        answers: list[Any] = await admin.describe_configs([asked])
        (resource,) = (each for found in answers for each in found.resources)
        told = {entry[0]: entry[1] for entry in resource[4]}
        return int(told[BOUNDS[0]]), int(told[BOUNDS[1]])
    finally:
        await admin.close()
