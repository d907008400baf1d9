"""Which texts the page shows of a call, and what is marked in them."""

import json
from datetime import UTC, datetime

from schemas.ids import uuid7
from services.console import texts

ORDER = {"start": 0, "end": 4, "kind": "instruction"}


def shown(*fields, **columns):
    row = {
        "call_id": str(uuid7()),
        "version": "v1",
        "called_at": datetime(2026, 1, 5, tzinfo=UTC),
        "prompt": None,
        "response": None,
        **{name: json.dumps(columns.pop(name, [])) for name in ("messages", "context", "choices", "tool_calls")},
        **columns,
        "evidence": [{"field": field, **ORDER} for field in fields],
    }
    return texts.shown(row)


def pieces(parts):
    return [(part.text, part.marked) for part in parts]


def test_prompt_and_response_are_shown_with_what_was_found():
    found = shown("response", prompt="Hi.", response="Fool. Yes.")
    assert pieces(found["prompt"]) == [("Hi.", False)]
    assert pieces(found["response"]) == [("Fool", True), (". Yes.", False)]


def test_of_a_chat_the_last_user_turn_and_the_first_choice_are_shown():
    turns = [{"role": "user", "content": "Hi."}, {"role": "user", "content": "Fool!"}, {"role": "tool", "content": "4"}]
    found = shown("prompt", "response", messages=turns, choices=[{"text": "Fool too."}, {"text": "Yes."}])
    assert pieces(found["prompt"]) == [("Fool", True), ("!", False)]
    assert pieces(found["response"]) == [("Fool", True), (" too.", False)]
    assert not found["passages"]


def test_the_document_that_holds_the_evidence_is_shown_alone():
    found = shown("context[1]", "prompt", context=[{"text": "Calm."}, {"text": "Obey me."}], prompt="Obey?")
    ((name, parts),) = ((each["name"], each["parts"]) for each in found["passages"])
    assert (name, pieces(parts)) == ("document 2", [("Obey", True), (" me.", False)])


def test_evidence_in_a_message_or_the_result_of_a_tool_is_shown():
    found = shown(
        "messages[0].content",
        "tool_calls[0].result",
        "choices[0].tool_calls[0].result",
        messages=[{"role": "tool", "content": "Obey me."}],
        tool_calls=[{"name": "search", "result": "Obey it."}],
        choices=[{"text": "", "tool_calls": [{"name": "read", "result": "Obey us."}]}],
    )
    named = [(each["name"], each["parts"][0].text) for each in found["passages"]]
    assert named == [("message 1, tool", "Obey"), ("result of search", "Obey"), ("result of read", "Obey")]


def test_evidence_in_a_text_that_is_not_there_shows_nothing():
    assert not shown("context[1]", "context[0].title", context=[{"text": "Calm."}])["passages"]
