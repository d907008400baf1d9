"""What the gateway takes, what it refuses and why."""

import json
import re
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import Call, Feedback
from services.gateway.gateway import (
    CALL,
    FEEDBACK,
    IDENTIFIERS,
    Limits,
    Rejected,
    TokenBucket,
    TooMany,
    Unreadable,
    named,
    split,
    take,
)
from tests.unit.gateway.builders import CALL_ID, LIMITS, NOW, a_call, raw, some_feedback, taken


def test_a_call_is_stamped_with_the_tenant_of_the_key():
    message = taken(a_call(trace_id="t1"))
    assert Call.decode(message.value).tenant == "acme"
    assert (message.message_id, message.key) == (CALL_ID, b"acme|t1")


def test_nothing_of_the_call_is_changed_but_the_tenant():
    sent = a_call(
        messages=[{"role": "user", "content": "hé\u0000\U0001f600"}],
        attributes={"gen_ai.system": "x", "__proto__": {"a": [1, 2.5, None]}},
        tokens={"input": 3},
        duration_seconds=0.1,
        type="call.v1",
    )
    stored = json.loads(taken(sent).value)
    stored["called_at"] = stored["called_at"].replace("Z", "+00:00")
    assert stored == {**sent, "tenant": "acme"}


@pytest.mark.parametrize("tenant", ["", "acme"])
def test_a_tenant_in_the_body_may_only_repeat_the_keys(tenant):
    assert Call.decode(taken(a_call(tenant=tenant)).value).tenant == "acme"
    with pytest.raises(Rejected) as caught:
        taken(a_call(tenant="rival"))
    assert caught.value.field == "tenant"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"call_id": ...}, "call_id"),
        ({"call_id": "17"}, "call_id"),
        ({"app": ""}, "app"),
        ({"app": "a|b"}, "app"),
        ({"app": ".."}, "app"),
        ({"environment": "y/history"}, "environment"),
        ({"version": "a|b"}, "version"),
        ({"version": "x\n"}, "version"),
        ({"environment": "x\n"}, "environment"),
        ({"version": ...}, "version"),
        ({"called_at": "2026-05-01T12:00:00"}, "called_at"),
        ({"called_at": 1777636800}, "called_at"),
        ({"called_at": (NOW + timedelta(minutes=6)).isoformat()}, "called_at"),
        ({"called_at": (NOW - timedelta(days=31)).isoformat()}, "called_at"),
        ({"prompt": 5}, "prompt"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user"}]}, "messages[1].content"),
        ({"tokens": {"input": -1}}, "tokens.input"),
        ({"tokens": {"output": 2**60}}, "tokens.output"),
        ({"tokens": {"output": 1.5}}, "tokens.output"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": 2**53 + 1}, "sequence"),
        ({"inclusion_probability": 0}, "inclusion_probability"),
        *(({name: "n" * 201}, name) for name in IDENTIFIERS),
        ({"tags": {"t" * 201: "v"}}, "tags"),
        ({"tags": {str(n): "v" for n in range(1001)}}, "tags"),
        ({"tags": {"a": 1}}, "tags[...]"),
        ({"context": [{"text": "t"}] * 1001}, "context"),
        ({"type": "score.v1"}, "type"),
    ],
)
def test_a_bad_call_is_refused_with_field_message_and_remedy(fields, field):
    with pytest.raises(Rejected) as caught:
        taken(a_call(**fields))
    assert caught.value.field == field
    assert caught.value.message
    assert caught.value.remedy


def test_names_with_dots_are_taken_and_models_with_slashes():
    assert taken(a_call(app="shop.eu", environment=".prod", version="...", requested_model="org/model"))


@pytest.mark.parametrize("version", ["release/2026-01", ".", ".."])
def test_a_version_stands_in_no_path_of_the_gateway_and_keeps_its_label(version):
    assert Call.decode(taken(a_call(version=version)).value).version == version


def test_the_longest_identifiers_are_taken():
    assert taken(a_call(**dict.fromkeys(IDENTIFIERS, "é" * 200)))
    assert {"provider", "requested_model", "answering_model", "system_fingerprint", "finish_reason"} < set(IDENTIFIERS)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), -timedelta(days=30)])
def test_a_call_at_the_edge_of_time_is_taken(ahead):
    assert taken(a_call(called_at=(NOW + ahead).isoformat()))


def test_a_call_that_is_too_large_is_refused():
    with pytest.raises(Rejected, match="bytes") as caught:
        taken(a_call(prompt="x" * 1000), limits=Limits(largest_bytes=1000))
    assert caught.value.remedy == "send at most 1000 bytes"


def test_a_call_travels_by_reference_from_the_limit_on():
    limits = Limits(inline_bytes=5000)
    assert taken(a_call(prompt="x" * 4000), limits=limits).payload is None
    large = taken(a_call(prompt="x" * 6000), limits=limits)
    assert len(large.value) < 5000 < len(large.payload.data)
    assert taken(a_call(prompt="x" * 6000), limits=limits) == large


def test_no_tenant_can_name_what_is_anothers():
    call = a_call(prompt="x" * 300_000)
    places = {taken(call, tenant=tenant).payload.key for tenant in ("acme", "rival", "..", "a/b")}
    assert len(places) == 4
    assert all(re.fullmatch(r"2026-05-01/[0-9a-f]{32}/[0-9a-f]{64}", place) for place in places)
    with pytest.raises(Rejected) as caught:
        taken(a_call(payload_reference="sha256:" + "0" * 64 + ":1"))
    assert caught.value.field == "payload_reference"


def test_what_is_too_large_without_its_texts_is_refused():
    with pytest.raises(Rejected, match="all but its texts has"):
        taken(a_call(inter_token_seconds=[0.123456789] * 100_000))


def test_feedback_is_never_larger_than_kafka_takes():
    with pytest.raises(Rejected, match="bytes"):
        take(raw(some_feedback(text="x" * 1_000_000)), FEEDBACK, "acme", NOW, LIMITS)


@pytest.mark.parametrize(
    "broken",
    [b"\xff", b"{", b'{"prompt":"\\ud800"}', b'{"attributes":' + b"[" * 5000 + b"]" * 5000 + b"}", b"[]", b"1"],
)
def test_what_is_no_call_at_all_is_refused_too(broken):
    with pytest.raises(Rejected) as caught:
        take(msgspec.Raw(broken), CALL, "acme", NOW, LIMITS)
    assert caught.value.remedy
    assert named(msgspec.Raw(broken), CALL) is None


def test_a_refused_call_is_named_as_it_was_sent():
    assert named(raw(a_call(call_id="17", app=5)), CALL) == "17"
    assert named(raw({"app": "a"}), CALL) is None
    assert named(raw({"call_id": [1]}), CALL) is None


def test_one_call_and_many_are_told_apart():
    one, _ = split(msgspec.json.encode(a_call()), CALL, LIMITS)
    many, client = split(
        msgspec.json.encode({"calls": [a_call(), 5], "client": {"instance": "i", "dropped": {"full": 2}, "new": 1}}),
        CALL,
        LIMITS,
    )
    assert (len(one), len(many), client.dropped) == (1, 2, {"full": 2})
    assert split(b'{"calls": []}', CALL, LIMITS)[0] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"\xff", ""),
        (b'{"calls": 5}', "calls"),
        (b'{"calls": [}', ""),
        (b'{"calls": [], "client": 5}', "client"),
        (b'{"calls": [], "client": {"dropped": ' + b"9" * 400 + b"}}", "client.dropped"),
        (b'{"calls": [], "client": {"dropped": 9007199254740993}}', "client.dropped"),
        (b'{"calls": [], "client": {"dropped": -1}}', "client.dropped"),
        (b'{"calls": [], "client": {"dropped": {"full": 1' + b"0" * 400 + b"}}}", "client.dropped[...]"),
        (b"[" * 100_000, ""),
        (b'{"calls":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
    ],
)
def test_a_body_of_which_nothing_can_be_taken(body, field):
    with pytest.raises(Unreadable) as caught:
        split(body, CALL, LIMITS)
    assert caught.value.field == field


def test_too_many_at_once_are_refused_as_a_whole():
    with pytest.raises(TooMany):
        split(msgspec.json.encode({"calls": [1] * 3}), CALL, Limits(most=2))


def test_feedback_is_stamped_and_keyed_by_its_call():
    message = take(raw(some_feedback()), FEEDBACK, "acme", NOW, LIMITS)
    assert Feedback.decode(message.value).tenant == "acme"
    assert message.key == f"acme|{CALL_ID}".encode()
    with pytest.raises(Rejected) as caught:
        take(raw(some_feedback(given_at="yesterday")), FEEDBACK, "acme", NOW, LIMITS)
    assert caught.value.field == "given_at"


@given(st.lists(st.tuples(st.floats(0.001, 10), st.integers(1, 20)), max_size=50))
def test_a_bucket_never_gives_more_than_burst_and_rate(requests):
    bucket, now, given_out = TokenBucket(rate=5, burst=20, now_seconds=0), 0.0, 0
    for pause, count in requests:
        now += pause
        wait = bucket.take(count, now)
        given_out += count if wait == 0 else 0
        assert given_out <= 20 + 5 * now + 1e-6


def test_a_bucket_says_how_long_to_wait():
    bucket = TokenBucket(rate=2, burst=10, now_seconds=0)
    bucket.take(10, 0)
    wait = bucket.take(4, 1)
    assert wait == 1.0
    assert bucket.take(4, 1 + wait) == 0
