"""The texts of a stored call, as the scorers read them, with what was found in them marked."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from schemas.messages import Call
from schemas.messages.call import ChatMessage, Choice, Document, ToolCall
from services.console.console import Row, highlight

_PARTS: dict[str, msgspec.json.Decoder[Any]] = {
    "messages": msgspec.json.Decoder(tuple[ChatMessage, ...]),
    "context": msgspec.json.Decoder(tuple[Document, ...]),
    "choices": msgspec.json.Decoder(tuple[Choice, ...]),
    "tool_calls": msgspec.json.Decoder(tuple[ToolCall, ...]),
}


class _Text(NamedTuple):
    field: str  # as evidence names it
    name: str  # as people do
    text: str


def shown(row: Row) -> dict[str, Any]:
    """Prompt and response in pieces, and the other texts of the call in which something was found.

    `row` holds the columns of a call and its `evidence`. Prompt and response are those of `Call.question` and
    `Call.answer`; what stands in `context[2]`, `messages[3].content` or `tool_calls[0].result` is a passage.
    """
    call = _call(row)
    found: dict[str, list[tuple[int, int, str]]] = {}
    for span in row["evidence"]:
        found.setdefault(span["field"], []).append((span["start"], span["end"], span["kind"]))
    return {
        "prompt": highlight(call.question or "", found.get("prompt", ())),
        "response": highlight(call.answer or "", found.get("response", ())),
        "passages": [
            {"name": each.name, "parts": highlight(each.text, found[each.field])}
            for each in _others(call)
            if each.field in found
        ],
    }


def _call(row: Row) -> Call:
    return Call(
        call_id=UUID(row["call_id"]),
        app="",
        environment="",
        version=row["version"],
        called_at=row["called_at"],
        prompt=row["prompt"],
        response=row["response"],
        **{name: decoder.decode(row[name] or "[]") for name, decoder in _PARTS.items()},
    )


def _others(call: Call) -> Iterator[_Text]:
    for number, document in enumerate(call.context):
        yield _Text(f"context[{number}]", f"document {number + 1}", document.text)
    for number, turn in enumerate(call.messages):
        yield _Text(f"messages[{number}].content", f"message {number + 1}, {turn.role}", turn.content)
    yield from _results("tool_calls", call.tool_calls)
    for number, choice in enumerate(call.choices):
        yield from _results(f"choices[{number}].tool_calls", choice.tool_calls)


def _results(field: str, tools: Iterable[ToolCall]) -> Iterator[_Text]:
    for number, tool in enumerate(tools):
        yield _Text(f"{field}[{number}].result", f"result of {tool.name}", tool.result or "")
