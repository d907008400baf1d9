"""Every event that the client can make is a message of the schemas."""

import string
from datetime import UTC, datetime
from typing import get_args, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tidemark import coercion, encoding
from tidemark.fields import CallFields
from tidemark.intake import Intake
from tidemark.masking import Masker, builtin
from tidemark.preparing import Preparer
from tidemark.settings import Settings
from tidemark.transport import Item

from schemas.messages import Call, ExpectedFormat, Feedback

# Set by the gateway, the transport or the client itself, never by an application.
NOT_GIVEN = {"tenant", "client_instance", "sequence", "inclusion_probability"}
texts = st.text(max_size=40)
names = st.text(string.ascii_letters + string.digits + " .-äß", min_size=1, max_size=200)
parts = names.filter(lambda name: name not in {".", ".."})
finite = st.floats(allow_nan=False, allow_infinity=False)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
tool_calls = st.fixed_dictionaries(
    {"name": texts}, optional={"arguments": texts, "tool_call_id": texts, "result": texts}
)
GIVEN = {
    **dict.fromkeys(("app", "environment", "version"), parts),
    **dict.fromkeys(("prompt", "system_prompt", "response"), st.none() | texts),
    **dict.fromkeys(("trace_id", "span_id", "parent_span_id", "session_id", "user_id", "provider", "arm"), texts),
    **dict.fromkeys(("requested_model", "answering_model", "system_fingerprint", "finish_reason", "reference"), texts),
    **dict.fromkeys(("experiment", "payload_reference"), texts),
    **dict.fromkeys(("duration_seconds", "queue_seconds", "time_to_first_token_seconds"), st.floats(0, 1e6)),
    **dict.fromkeys(("log_probabilities", "inter_token_seconds"), st.lists(finite, max_size=3)),
    **dict.fromkeys(("groups", "tags"), st.dictionaries(texts, texts | st.integers(), max_size=3)),
    **dict.fromkeys(("parameters", "attributes"), st.dictionaries(texts, any_json, max_size=3)),
    "call_id": st.uuids().map(str),
    "called_at": st.floats(0, 4e9) | st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    "cost_usd": finite,
    "messages": st.lists(
        st.fixed_dictionaries({"role": names, "content": texts}, optional={"name": texts}), max_size=3
    ),
    "context": st.lists(texts | st.fixed_dictionaries({"text": texts}, optional={"similarity": finite}), max_size=3),
    "choices": st.lists(
        texts | st.fixed_dictionaries({"text": texts}, optional={"tool_calls": st.lists(tool_calls, max_size=2)}),
        max_size=3,
    ),
    "tool_calls": st.lists(tool_calls, max_size=3),
    "tokens": st.dictionaries(st.sampled_from(["input", "output", "cached", "reasoning"]), st.integers(0, 2**53)),
    "error": names | texts.map(ValueError) | st.fixed_dictionaries({"kind": names}, optional={"status": st.just(500)}),
    "expected_format": st.fixed_dictionaries({"kind": st.sampled_from(coercion.FORMATS), "definition": any_json}),
    "synthetic": st.booleans(),
    "surprising": any_json,
}


@pytest.fixture(scope="module")
def preparer(tmp_path_factory):
    settings = Settings({}, app="support", spool=tmp_path_factory.mktemp("spool"), sample_rate=1.0)
    return Preparer(settings, instance="0190abcd-0000-7000-8000-000000000000")


def handed_over(**fields):
    intake = Intake(capacity=9, capacity_bytes=10**9)
    call_id = intake.emit(**fields)
    return call_id, intake.next_call()


@given(fields=st.fixed_dictionaries({}, optional=GIVEN))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_call_decodes_as_a_call(preparer, fields):
    call_id, handed = handed_over(**fields)
    item = preparer.call(handed)
    call = Call.decode(item.payload)
    assert call.call_id == UUID(call_id) == UUID(item.id)
    assert msgspec.json.decode(item.payload).keys() <= set(Call.__struct_fields__) | {"type"}
    assert call.client_instance == "0190abcd-0000-7000-8000-000000000000"
    assert Item.parse(item.payload) == item
    assert Call.decode(call.encode()) == call


@given(fields=st.dictionaries(st.sampled_from(sorted(GIVEN)), any_json, max_size=4))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_decodes_or_is_refused_by_name(preparer, fields):
    handed = handed_over(**fields)[1]
    if handed is None:
        return  # not even an id
    refused, item = None, None
    try:
        item = preparer.call(handed)
    except coercion.Unusable as refusal:
        refused = refusal
    assert refused is None or (refused.field.partition(".")[0] in GIVEN and refused.remedy)
    assert item is None or Call.decode(item.payload)


@pytest.mark.parametrize("kind", coercion.KINDS)
def test_every_kind_of_feedback_decodes(preparer, kind):
    intake = Intake(capacity=9, capacity_bytes=10**9)
    fields = {"call_id": "0190abcd-0000-7000-8000-000000000001", "kind": kind, "value": 1, "text": "ada@example.org"}
    feedback_id = intake.hand_over_opinion({**fields, "given_at": 5.0, "user_id": "u", "source": "page"})
    feedback = Feedback.decode(preparer.opinion(intake.next_opinion()).payload)
    assert (str(feedback.feedback_id), feedback.kind, feedback.text) == (feedback_id, kind, "[email]")


def test_the_client_knows_every_field_and_no_other():
    fields = set(Call.__struct_fields__)
    assert set(coercion.CALL) | {"call_id", "attributes"} | NOT_GIVEN == fields
    assert set(CallFields.__annotations__) | NOT_GIVEN == fields
    assert set(coercion.FEEDBACK) | {"feedback_id", "tenant"} == set(Feedback.__struct_fields__)


def test_the_client_knows_every_format_and_no_other():
    assert set(coercion.FORMATS) == set(get_args(get_type_hints(ExpectedFormat)["kind"]))


@given(text=st.text(string.digits + " -+().@abcAZ", max_size=200))
def test_masking_twice_changes_nothing_more(text):
    mask = builtin()
    assert mask(mask(text)) == mask(text)


@given(event=st.fixed_dictionaries({"type": st.just("call.v1"), "prompt": texts, "attributes": any_json}))
def test_a_failing_mask_leaves_no_text(event):
    def fail(text):
        raise RuntimeError

    encoding.mask(event, Masker([fail]), most=900_000)
    assert "prompt" not in event
    assert not set(strings(event["attributes"])) - {encoding.UNMASKED}


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)
