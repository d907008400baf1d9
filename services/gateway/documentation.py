"""The gateway's OpenAPI document: the messages' own schemas, with examples that are accepted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from fastapi import FastAPI

from schemas.messages import Call, Deployment, Feedback
from services.gateway.gateway import Client, Verdict

CALL_EXAMPLE = {
    "call_id": "01994b1e-7c00-7d3a-9f51-2f6d0c1b7a10",
    "app": "shop-assistant",
    "environment": "production",
    "version": "v2",
    "called_at": "",  # when the document is read: an older one would be refused
    "prompt": "When does my parcel arrive?",
    "response": "Tomorrow before noon.",
    "duration_seconds": 0.84,
    "tokens": {"input": 412, "output": 9},
}
FEEDBACK_EXAMPLE = {
    "feedback_id": "01994b1e-9a10-7a01-8d11-6a5d0c1b7a11",
    "call_id": CALL_EXAMPLE["call_id"],
    "kind": "thumbs",
    "value": -1,
    "given_at": "",
}
RESULTS_EXAMPLE = {
    "results": [
        {"call_id": CALL_EXAMPLE["call_id"], "status": "stored"},
        {
            "call_id": "not-a-uuid",
            "status": "rejected",
            "field": "call_id",
            "message": "Invalid UUID",
            "remedy": "send a UUID (version 7) that is made once, so that a repeat is known as one",
        },
    ]
}
REFERENCE = "#/components/schemas/{name}"
PROBLEMS = {
    408: "The body did not come in time: send smaller batches.",
    413: "The body is too large, or holds too many messages: send smaller batches.",
    415: "The content encoding is not gzip.",
    429: "Too much at once, of this key or of all; Retry-After says when to send again.",
    503: "Kafka, the disk or the store of payloads takes nothing; Retry-After says when to send again.",
}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(name=name)}


def _content(schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "examples": {name: {"value": v} for name, v in examples.items()}}}


def _intake(message: str, plural: str, example: dict[str, Any]) -> dict[str, Any]:
    many = {
        "type": "object",
        "properties": {
            plural: {"type": "array", "maxItems": 1000, "items": _reference(message)},
            "client": _reference("Client"),
        },
        "required": [plural],
    }
    one_or_many = {"oneOf": [_reference(message), many]}
    results = {"type": "object", "properties": {"results": {"type": "array", "items": _reference("Verdict")}}}
    return {
        "requestBody": {"required": True, "content": _content(one_or_many, one=example, many={plural: [example]})},
        "parameters": [
            {"name": "Content-Encoding", "in": "header", "schema": {"enum": ["gzip", "identity"]}, "required": False}
        ],
        "responses": {
            "200": {"description": "One verdict each, in order.", "content": _content(results, both=RESULTS_EXAMPLE)},
            **{str(code): {"description": said} for code, said in PROBLEMS.items()},
        },
    }


CALLS_OPERATION = _intake("Call", "calls", CALL_EXAMPLE)
FEEDBACK_OPERATION = _intake("Feedback", "feedback", FEEDBACK_EXAMPLE)
DEPLOYMENT_OPERATION = {
    "responses": {
        "200": {"description": "The deployment.", "content": _content(_reference("Deployment"))},
        "304": {"description": "It is the one in If-None-Match."},
        "404": {"description": "Nothing is deployed there."},
        "503": {"description": "The deployments are not read yet; Retry-After says when to ask again."},
    },
}


def document(app: FastAPI, clock: Callable[[], datetime]) -> None:
    """Put the messages' schemas into the document of `app`, and the time of whoever reads it into its examples."""
    generated = app.openapi()
    _, schemas = msgspec.json.schema_components((Call, Feedback, Deployment, Verdict, Client), ref_template=REFERENCE)
    generated.setdefault("components", {}).setdefault("schemas", {}).update(schemas)

    def dated() -> dict[str, Any]:
        found: dict[str, Any] = _dated(generated, clock().isoformat())
        return found

    app.openapi = dated  # type: ignore[method-assign]  # as FastAPI's own documentation has it


def _dated(value: Any, moment: str) -> Any:
    if isinstance(value, list):
        return [_dated(entry, moment) for entry in value]
    if not isinstance(value, dict):
        return value
    times = {name: moment for name in ("called_at", "given_at") if isinstance(value.get(name), str)}
    return {name: _dated(entry, moment) for name, entry in value.items()} | times
