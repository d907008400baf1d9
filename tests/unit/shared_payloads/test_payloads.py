"""Large calls apart and together again."""

from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.messages import Call, ChatMessage, Choice, Document, ToolCall
from services.shared.payloads import KEPT_CHARACTERS, Heavy, Reference, apart, place, together
from tests.support.messages import a_call

texts = st.text(max_size=5000) | st.none()


def a_large_call(**fields):
    given = {
        "messages": (
            ChatMessage(role="system", content="be brief"),
            ChatMessage(role="user", content="w" * 9000),
            ChatMessage(role="assistant", content="…"),
        ),
        "prompt": None,
        "response": None,
        "choices": (Choice(text="because " * 900, log_probabilities=(-0.5,) * 9), Choice(text="no")),
        "context": (Document(text="known " * 3000, document_id="d"),),
        "tool_calls": (ToolCall(name="search", arguments="{}" * 500),),
        "attributes": {"gen_ai.prompt": "w" * 999},
        "parameters": {"tools": ["t" * 999]},
    }
    return a_call(**{**given, **fields})


@given(texts, texts, texts, texts)
def test_a_call_is_the_same_after_the_way_through_the_store(prompt, response, system, reference):
    call = a_large_call(prompt=prompt, response=response, system_prompt=system, reference=reference)
    light, data = apart(call)
    whole = together(Call.decode(light.encode()), data)
    assert replace(whole, payload_reference=None) == Call.decode(call.encode())
    assert whole.payload_reference == str(Reference(sha256(data).hexdigest(), len(data)))


def test_what_stays_in_the_message_still_shows_the_question_and_the_answer():
    light, data = apart(a_large_call())
    assert (len(light.question), light.question[:3]) == (KEPT_CHARACTERS, "www")
    assert light.answer.startswith("because because")
    assert light.answer.endswith("…")
    assert [light.context, light.tool_calls, light.attributes, light.parameters] == [(), (), {}, {}]
    assert len(light.encode()) < 8000 < len(data)


def test_every_field_of_free_length_leaves_the_message():
    """A new field of text or of many entries has to be thought of."""
    stays = {"groups", "tags", "inter_token_seconds"}
    ids = {"trace_id", "span_id", "parent_span_id", "session_id", "user_id", "client_instance", "experiment", "arm"}
    short = {"tenant", "app", "environment", "version", "provider", "requested_model", "answering_model"}
    short |= {"system_fingerprint", "finish_reason", "payload_reference"}
    plain = {"call_id", "called_at", "tokens", "duration_seconds", "queue_seconds", "time_to_first_token_seconds"}
    plain |= {"cost_usd", "error", "inclusion_probability", "sequence", "synthetic"}
    assert set(Call.__struct_fields__) == {*Heavy.__struct_fields__, *stays, *ids, *short, *plain}


def test_the_place_tells_day_tenant_and_content_and_nothing_of_the_reference():
    call = a_call(tenant="../x")
    late = replace(call, called_at=call.called_at + timedelta(days=40))
    assert place(call, "d").partition("/")[0] == "2026-01-05"
    assert place(late, "d").partition("/")[0] == "2026-02-14"
    assert ".." not in place(call, "d")
    assert place(call, "d") != place(replace(call, tenant="y"), "d")


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "0" * 64, "md5:" + "0" * 64 + ":1", "sha256:../" + "0" * 61 + ":1", "x" * 500]
)
def test_a_reference_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="payload_reference"):
        Reference.parse(text)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"prompt":5}', b"[" * 100_000])
def test_a_payload_that_is_none_is_refused(data):
    with pytest.raises(ValueError, match="payload"):
        together(a_call(), data)
