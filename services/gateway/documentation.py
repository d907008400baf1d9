"""The gateway's OpenAPI document: the messages' own schemas, with examples that are accepted."""

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
    "called_at": "2026-01-31T12:00:00.250Z",
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
    "given_at": "2026-01-31T12:00:09Z",
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
PROBLEM = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "field": {"type": ["string", "null"]},
                "message": {"type": "string"},
                "remedy": {"type": ["string", "null"]},
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}
PROBLEMS = {
    400: "The body cannot be read; field, message and remedy say why.",
    401: "No credential, or one that is not known.",
    403: "The key lacks the scope.",
    408: "The body did not come in time: send smaller batches.",
    413: "The body is too large, or holds too many messages: send smaller batches.",
    415: "The content encoding is not gzip.",
    429: "Too much at once, of this key or of all; Retry-After says when to send again.",
    503: "Kafka or the disk takes nothing; Retry-After says when to send again.",
}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(name=name)}


def _content(schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema, "examples": {name: {"value": v} for name, v in examples.items()}}}


def _problems() -> dict[str, Any]:
    return {
        str(code): {"description": said, "content": _content(_reference("Problem"))} for code, said in PROBLEMS.items()
    }


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
            **_problems(),
        },
    }


CALLS_OPERATION = _intake("Call", "calls", CALL_EXAMPLE)
FEEDBACK_OPERATION = _intake("Feedback", "feedback", FEEDBACK_EXAMPLE)
DEPLOYMENT_OPERATION = {
    "responses": {
        "200": {"description": "The deployment.", "content": _content(_reference("Deployment"))},
        "304": {"description": "It is the one in If-None-Match."},
        "404": {"description": "Nothing is deployed there.", "content": _content(_reference("Problem"))},
        **{code: said for code, said in _problems().items() if code in ("401", "403", "503")},
    },
}


def document(app: FastAPI) -> None:
    """Put the messages' schemas and the way to authenticate into the document of `app`."""
    generated = app.openapi()
    _, schemas = msgspec.json.schema_components((Call, Feedback, Deployment, Verdict, Client), ref_template=REFERENCE)
    components = generated.setdefault("components", {})
    components.setdefault("schemas", {}).update({**schemas, "Problem": PROBLEM})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    generated["security"] = [{"key": []}]
    app.openapi_schema = generated
