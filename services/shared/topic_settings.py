"""The settings of topics on the broker: read whole, changed one by one."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

from services.shared.errors import Unusable

DESCRIBE, CREATE_PARTITIONS, ALTER = 32, 37, 44
SET, TOPIC = 0, 2

Settings: TypeAlias = Mapping[str, str]


class _Altered(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = ALTER, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "resources",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class _Alter(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION = ALTER, 0
    RESPONSE_TYPE = _Altered
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(("name", String("utf-8")), ("operation", Int8), ("value", String("utf-8"))),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class _AlterRequest(Request[_Alter]):  # type: ignore[misc]
    """IncrementalAlterConfigs (KIP-339), which aiokafka lacks.

    Its `alter_configs` is the older request, which sets everything that it does not name back to the default.
    """

    API_KEY = ALTER

    def __init__(self, wanted: Mapping[str, Settings]) -> None:
        self._resources = [
            (TOPIC, topic, [(name, SET, value) for name, value in settings.items()])
            for topic, settings in wanted.items()
        ]

    def build(self, request_struct_class: type[_Alter]) -> _Alter:
        return request_struct_class(self._resources, False)


async def understood(client: AIOKafkaClient) -> frozenset[int]:
    """The requests that the broker understands, by their keys in Kafka's protocol."""
    answer: Any = await client.send(client.get_random_node(), ApiVersionRequest())
    return frozenset(key for key, _, _ in answer.api_versions)


async def is_embedded(client: AIOKafkaClient) -> bool:
    """Whether it is the embedded broker, the one that adds no partitions."""
    return CREATE_PARTITIONS not in await understood(client)


async def told(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, Settings | None]:
    """What the broker tells of each topic's settings, defaults included; None where it tells nothing."""
    # All of them: the embedded broker closes the connection when some are named.
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic, None) for topic in topics]
    answers: list[Any] = await admin.describe_configs(resources) if resources else []
    return {
        resource[3]: None if resource[0] else {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


async def alter(admin: AIOKafkaAdminClient, wanted: Mapping[str, Settings]) -> None:
    """Set what is named for each topic, and nothing else; raises `Unusable` where the broker refuses."""
    answer: Any = await admin._client.send(admin._client.get_random_node(), _AlterRequest(wanted))
    for code, message, _, topic in answer.resources:
        if code:
            raise Unusable(f"the broker does not change {topic}: {for_code(code).__name__} {message or ''}".rstrip())
