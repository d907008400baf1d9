"""What becomes of a call between `emit` and the gateway's verdict."""

import json
import re
from uuid import UUID, uuid4

import pytest
from tidemark.intake import Intake


def test_a_call_arrives_as_it_was_given(client, gateway, ledger):
    call_id = client.emit(prompt="Why?", response="Because.", context=["Facts."], duration_seconds=0.5)
    assert client.flush(10)
    stored = gateway.calls[call_id]
    assert UUID(call_id).version == 7
    assert stored["type"] == "call.v1"
    assert (stored["app"], stored["environment"], stored["version"]) == ("support", "production", "v1")
    assert (stored["prompt"], stored["response"]) == ("Why?", "Because.")
    assert stored["context"] == [{"text": "Facts."}]
    assert stored["duration_seconds"] == 0.5
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stored["called_at"])
    assert ledger() == [call_id]


def test_the_key_and_the_client_go_with_every_batch(client, gateway):
    client.emit(prompt="a")
    client.flush(10)
    assert gateway.requests[0]["Authorization"] == "Bearer td_key"
    assert gateway.batches[0]["client"] == {"instance": client.instance, "dropped": 0, "version": "0.1.0"}


def test_calls_are_numbered_without_gaps(client, gateway):
    for number in range(1234):
        client.emit(prompt=str(number))
    assert client.flush(10)
    numbered = sorted(gateway.calls.values(), key=lambda call: call["sequence"])
    assert [call["sequence"] for call in numbered] == list(range(1234))
    assert [call["prompt"] for call in numbered] == [str(number) for number in range(1234)]
    assert {call["client_instance"] for call in numbered} == {client.instance}


def test_a_list_may_change_after_it_was_emitted(client, gateway):
    messages = [{"role": "user", "content": "first"}]
    call_id = client.emit(messages=messages, prompt="p")
    messages[0]["content"] = "second"
    messages.append({"role": "assistant", "content": "third"})
    client.flush(10)
    assert gateway.calls[call_id]["messages"] == [{"role": "user", "content": "first"}]


def test_what_is_rejected_is_kept_aside_with_the_remedy(client, gateway, tmp_path, ledger):
    def verdicts(events):
        refused = {"call_id": events[0]["call_id"], "status": "rejected", "field": "called_at"}
        refused |= {"message": "is old", "remedy": "send sooner"}
        return [refused, *(gateway.store("calls", event) for event in events[1:])]

    gateway.answers.append(verdicts)
    bad, good = client.emit(prompt="bad"), client.emit(prompt="good")
    assert client.flush(10)
    (kept,) = [json.loads(line) for path in tmp_path.rglob("rejected.jsonl") for line in path.read_text().splitlines()]
    assert (kept["id"], kept["field"], kept["remedy"]) == (bad, "called_at", "send sooner")
    assert kept["event"]["prompt"] == "bad"
    assert (client.stats().rejected, client.stats().acknowledged) == (1, 1)
    assert ledger() == [good]


@pytest.mark.parametrize("sample_rate", [1.0, 0.999_999])
def test_an_id_that_is_no_text_takes_no_other_call_along(make_client, gateway, tmp_path, sample_rate):
    client, own = make_client(sample_rate=sample_rate), uuid4()
    before = [client.emit(prompt="good") for _ in range(20)]
    client.emit(call_id=uuid4(), cost_usd="n/a")
    after = [client.emit(call_id=own, prompt="good"), client.emit(call_id=None, prompt="good")]
    assert client.flush(10)
    assert list(gateway.calls) == [*before, str(own), after[1]]
    assert client.stats().rejected == 1
    assert any("cost_usd" in path.read_text() for path in tmp_path.rglob("rejected.jsonl"))


def test_what_shall_be_tried_again_is_acknowledged_by_the_spool_and_arrives(client, gateway, ledger):
    gateway.answers.append(lambda events: [{"call_id": event["call_id"], "status": "retry"} for event in events])
    call_id = client.emit(prompt="later")
    assert client.flush(10)
    assert ledger() == [call_id]
    gateway.wait(lambda: call_id in gateway.calls)
    assert client.flush(10)
    assert client.stats().acknowledged == 1
    assert client.stats().spooled == 0
    assert ledger() == [call_id]


def test_a_batch_that_is_too_large_is_halved(client, gateway):
    gateway.largest_batch = 3
    call_ids = [client.emit(prompt=str(number)) for number in range(50)]
    assert client.flush(10)
    assert sorted(gateway.calls) == sorted(call_ids)
    assert max(len(batch["calls"]) for batch in gateway.batches) <= 3


def test_one_call_that_is_too_large_is_rejected(client, gateway):
    gateway.answers.append(413)
    client.emit(prompt="large")
    assert client.flush(10)
    assert client.stats().rejected == 1


def test_a_refused_key_keeps_calls_until_it_is_accepted(client, gateway, caplog, ledger):
    gateway.answers.extend([401, 403])
    call_id = client.emit(prompt="kept")
    assert client.flush(10)
    assert ledger() == [call_id]
    gateway.wait(lambda: call_id in gateway.calls)
    assert "the API key is missing or wrong" in caplog.text


def test_the_gateways_own_pause_is_kept(make_client, gateway, spooled):
    client = make_client()
    gateway.answers.append((429, {"Retry-After": "300"}))
    call_ids = [client.emit(prompt="first")]
    assert client.flush(10)
    call_ids.append(client.emit(prompt="second"))
    assert client.flush(10)
    assert [call["call_id"] for call in spooled()] == call_ids
    assert len(gateway.requests) == 1


def test_a_gateway_that_is_absent_from_the_start(make_client, gateway, spooled, ledger):
    port = gateway.port
    gateway.stop()
    client = make_client()
    call_ids = [client.emit(prompt=str(number)) for number in range(20)]
    assert client.flush(20)
    assert [call["call_id"] for call in spooled()] == call_ids == ledger()
    gateway.start(port)
    gateway.wait(lambda: set(call_ids) <= set(gateway.calls))
    later = client.emit(prompt="fresh")
    assert client.flush(10)
    assert later in gateway.calls


def test_a_full_queue_drops_and_the_count_travels(make_client, gateway):
    client = make_client(queue_calls=5)
    client._background.sender._bell.clear()
    for _ in range(5000):
        client.emit(prompt="p" * 10)
    assert client.flush(10)
    client.emit(prompt="last")
    assert client.flush(10)
    stats = client.stats()
    assert stats.dropped > 0
    assert stats.emitted == 5001 == stats.acknowledged + stats.dropped
    assert sum(batch["client"]["dropped"] for batch in gateway.batches) == stats.dropped


def test_a_queue_is_bounded_by_size_too(make_client):
    client = make_client(queue_bytes=10_000, linger_seconds=60)
    for _ in range(20):
        client.emit(prompt="p" * 2000)
    assert client.stats().dropped >= 15


@pytest.mark.parametrize(
    "fields",
    [
        {"inter_token_seconds": [0.5] * 100},
        {"parameters": {"logit_bias": {"bias": [1, "2"] * 50}}},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "p" * 2000}]}]},
    ],
)
def test_numbers_and_what_lies_deep_count_towards_the_size(fields):
    intake = Intake(capacity=1000, capacity_bytes=10_000)
    for _ in range(20):
        intake.emit(**fields)
        intake.hand_over("", 0, None, fields)
    assert intake.dropped >= 35


def test_feedback_counts_towards_the_size_until_it_left():
    intake = Intake(capacity=1000, capacity_bytes=10_000)
    for _ in range(20):
        intake.hand_over_opinion({"kind": "comment", "text": "p" * 2000})
    assert intake.dropped == 17
    while intake.next_call() or intake.next_opinion():
        pass
    intake.emit(prompt="p" * 9000)
    assert (len(intake.calls), intake.dropped) == (1, 17)


def test_a_field_without_end_is_looked_into_only_so_far():
    endless = [["p"] * 20_000]
    endless.append(endless)
    intake = Intake(capacity=10, capacity_bytes=1_000_000)
    intake.emit(attributes={"endless": endless})
    assert (len(intake.calls), intake.misused) == (1, 0)


def test_a_full_spool_refuses_what_is_new_and_evicts_nothing(make_client, gateway, spooled):
    gateway.stop()
    client = make_client(spool_bytes=4000, queue_calls=20, exit_seconds=0.5)
    first = client.emit(prompt="first")
    assert client.flush(10)
    for number in range(200):
        client.emit(prompt=f"{number} " + "x" * 500)
        client.flush(0.001)
    client.close()
    stats = client.stats()
    assert spooled()[0]["call_id"] == first
    assert stats.dropped > 0
    assert stats.emitted == 201 == stats.acknowledged + stats.dropped


def test_feedback_arrives_with_its_call(client, gateway):
    call_id = client.emit(prompt="p")
    feedback_id = client.feedback(call_id, kind="thumbs", value=-1, text="write to a@example.org")
    assert client.flush(10)
    stored = gateway.feedback[feedback_id]
    assert (stored["call_id"], stored["kind"], stored["value"]) == (call_id, "thumbs", -1)
    assert stored["text"] == "write to [email]"


def test_nothing_that_an_application_passes_raises(client, gateway, caplog):
    class Hostile:
        def __str__(self):
            raise RuntimeError("no")

    client.emit("positional")
    client.emit(prompt=Hostile(), tags=7, messages=3, context=object())
    client.emit(duration_seconds=float("nan"), prompt="p")
    client.emit(call_id="not a uuid", prompt="p")
    client.emit(prompt=Hostile(), attributes={"a": Hostile()})
    client.emit(called_at="yesterday", prompt="p")
    client.feedback("no uuid", kind="thumbs")
    client.feedback(None, mood="fine")
    client.feedback()
    good = client.emit(prompt="good", surprising="kept", parameters={"temperature": float("inf"), "stop": {"a"}})
    assert client.flush(10)
    assert list(gateway.calls) == [good]
    assert gateway.calls[good]["attributes"] == {"surprising": "kept"}
    assert client.stats().rejected == 8
    assert client.stats().emitted == 9
    assert "by name" in caplog.text


def test_a_transport_that_fails_in_an_unknown_way_loses_nothing(client, gateway, ledger):
    transport = client._background.sender.parts.transport
    send = transport.send

    def fail_once(items, *, dropped):
        transport.send = send
        raise LookupError("unknown encoding")

    transport.send = fail_once
    call_id = client.emit(prompt="p")
    assert client.flush(10)
    gateway.wait(lambda: call_id in gateway.calls)
    assert ledger() == [call_id]
