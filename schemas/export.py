"""Writes the JSON Schema of every message: `python -m schemas.export`."""

from pathlib import Path
from typing import Any

import msgspec

from schemas.topics import TOPICS, dead_letters

FOLDER = Path(__file__).parent / "json"


def schema(message: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one message."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(message)}


def exported() -> dict[str, bytes]:
    """File name to contents, for every message on a topic."""
    messages = [topic.message for topic in (*TOPICS, dead_letters("any"))]
    return {f"{tag(message)}.json": _pretty(schema(message)) for message in messages}


def tag(message: type[msgspec.Struct]) -> str:
    """The message's name and version on the wire, such as `call.v1`."""
    return str(message.__struct_config__.tag)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"


if __name__ == "__main__":
    for name, contents in exported().items():
        (FOLDER / name).write_bytes(contents)
