"""Gateway input that names only what matters."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from services.gateway.gateway import CALL, Limits, Taken, take

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LIMITS = Limits()
CALL_ID = "01994b1e-7c00-7d3a-9f51-2f6d0c1b7a10"


def a_call(**fields: Any) -> dict[str, Any]:
    defaults = {
        "call_id": CALL_ID,
        "app": "shop",
        "environment": "production",
        "version": "v1",
        "called_at": NOW.isoformat(),
        "prompt": "why?",
        "response": "because",
    }
    return {name: value for name, value in {**defaults, **fields}.items() if value is not ...}


def some_feedback(**fields: Any) -> dict[str, Any]:
    defaults = {"feedback_id": CALL_ID, "call_id": CALL_ID, "kind": "thumbs", "value": 1, "given_at": NOW.isoformat()}
    return {**defaults, **fields}


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def taken(value: object, tenant: str = "acme", limits: Limits = LIMITS) -> Taken:
    return take(raw(value), CALL, tenant, NOW, limits)
