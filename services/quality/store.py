"""Stored calls, read from ClickHouse."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from schemas.messages import Call, Choice
from services.shared.errors import Transient

# A call never changes, so any of its rows will do. Its own reference is not asked for: a newer one is at hand.
_CALLS = """
SELECT call_id, tenant, app, environment, version, called_at, trace_id, response, choices, groups,
    inclusion_probability, synthetic, payload_reference
FROM calls_rows WHERE tenant IN {tenants:Array(String)} AND call_id IN {ids:Array(UUID)} LIMIT 1 BY tenant, call_id
"""
Key = tuple[str, UUID]


class Calls:
    """Calls by tenant and id, with what a response is judged by. For one thread at a time."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect

    def found(self, keys: Sequence[Key]) -> Mapping[Key, Call]:
        """The calls of `keys` that are stored; raises `Transient` where ClickHouse does not answer."""
        parameters = {"tenants": sorted({key[0] for key in keys}), "ids": sorted({str(key[1]) for key in keys})}
        try:
            rows = list(self._client.query(_CALLS, parameters=parameters, tz_mode="aware").named_results())
        except (Error, OSError) as error:
            raise Transient(f"ClickHouse does not answer: {error}") from error
        calls = map(_call, rows)
        wanted = set(keys)
        return {key: call for call in calls if (key := (call.tenant, call.call_id)) in wanted}

    @cached_property
    def _client(self) -> Client:
        return self._connect()


def _call(row: Mapping[str, Any]) -> Call:
    return Call(**{**row, "choices": msgspec.json.decode(row["choices"], type=tuple[Choice, ...])})
