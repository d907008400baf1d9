"""Samples, sizes, forms: what leaves of what was given."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tidemark import Client
from tidemark.coercion import Unusable, moment
from tidemark.ids import CallIds
from tidemark.preparing import sampled


def sent(client, gateway, **fields):
    call_id = client.emit(**fields)
    assert client.flush(10)
    return gateway.calls[call_id]


def test_a_sample_is_a_function_of_the_id_and_says_its_probability(make_client, gateway):
    client = make_client(sample_rate=0.25)
    call_ids = [client.emit(prompt="p") for _ in range(2000)]
    assert client.flush(10)
    assert set(gateway.calls) == {call_id for call_id in call_ids if sampled(call_id, 0.25)}
    assert 380 < len(gateway.calls) < 620
    assert {call["inclusion_probability"] for call in gateway.calls.values()} == {0.25}
    assert sorted(call["sequence"] for call in gateway.calls.values()) == list(range(len(gateway.calls)))
    assert client.stats().sampled_out == 2000 - len(gateway.calls)


def test_a_client_that_is_turned_off_sends_nothing(make_client, gateway):
    client = make_client(enabled=False)
    assert client.feedback(client.emit(prompt="p"), kind="thumbs", value=1)
    assert client.flush(10)
    assert gateway.requests == []
    assert (client.stats().emitted, client.stats().sampled_out) == (2, 2)


def test_a_long_text_is_cut_and_the_call_says_so(make_client, gateway):
    client = make_client(longest_text=10)
    call = sent(client, gateway, prompt="p" * 11, response="r" * 10, messages=[{"role": "user", "content": "m" * 50}])
    assert (call["prompt"], call["response"]) == ("p" * 10, "r" * 10)
    assert call["messages"][0]["content"] == "m" * 10
    assert call["tags"] == {"tidemark.truncated": "prompt,messages"}


def test_a_call_that_is_too_large_even_so_is_rejected(make_client, gateway):
    client = make_client(largest_call_bytes=5000)
    client.emit(context=["c" * 1000] * 6)
    small = client.emit(prompt="p")
    assert client.flush(10)
    assert list(gateway.calls) == [small]
    assert client.stats().rejected == 1


@pytest.mark.parametrize("place", [{"app": "a/b"}, {"environment": ".."}, {"version": "a|b"}])
def test_a_name_that_is_no_part_of_a_path_is_refused_with_the_call(client, gateway, place):
    client.emit(prompt="p", **place)
    good = client.emit(prompt="p", expected_format={"kind": "choice", "definition": ["a"]})
    assert client.flush(10)
    assert list(gateway.calls) == [good]


def test_a_format_that_nobody_knows_is_refused_with_the_call(client, gateway):
    client.emit(prompt="p", expected_format={"kind": "yaml"})
    assert client.flush(10)
    assert (gateway.calls, client.stats().rejected) == ({}, 1)
    assert "expected_format.kind" in client.rejected_file.read_text()


@pytest.mark.parametrize(
    "field", ["requested_model", "answering_model", "provider", "system_fingerprint", "finish_reason", "user_id"]
)
def test_what_the_gateway_would_refuse_is_refused_here(client, gateway, field):
    client.emit(**{field: "n" * 201})
    longest = client.emit(**{field: "n" * 200})
    assert client.flush(10)
    assert (list(gateway.calls), client.stats().rejected) == ([longest], 1)


@pytest.mark.parametrize(
    ("given", "on_the_wire"),
    [
        ({"context": "one text"}, {"context": [{"text": "one text"}]}),
        ({"context": [{"text": "t", "similarity": 1, "more": 2}]}, {"context": [{"text": "t", "similarity": 1.0}]}),
        ({"choices": ["a", "b"]}, {"choices": [{"text": "a"}, {"text": "b"}]}),
        ({"error": "timeout"}, {"error": {"kind": "timeout"}}),
        ({"error": "429"}, {"error": {"kind": "429"}}),
        ({"error": "Request timed out."}, {"error": {"kind": "error", "message": "Request timed out."}}),
        ({"error": ValueError("x")}, {"error": {"kind": "ValueError", "message": "x"}}),
        ({"tokens": {"input": 3, "total": 9}}, {"tokens": {"input": 3}}),
        ({"tags": {"n": 1, "none": None}}, {"tags": {"n": "1"}}),
        ({"called_at": 0}, {"called_at": "1970-01-01T00:00:00.000000Z"}),
        ({"called_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"called_at": "2026-01-01T00:00:00.000000Z"}),
        ({"parameters": {"stop": ("a",), "t": float("nan")}}, {"parameters": {"stop": ["a"], "t": None}}),
        ({"response": "half \ud800 pair"}, {"response": "half ? pair"}),
        ({"user_id": 17}, {"user_id": "17"}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}]},
            {"messages": [{"role": "user", "content": "a"}]},
        ),
        (
            {"tokens": SimpleNamespace(model_dump=lambda: {"output": 5})},
            {"tokens": {"output": 5}},
        ),
    ],
)
def test_forms(client, gateway, given, on_the_wire):
    call = sent(client, gateway, **given)
    assert {field: call[field] for field in on_the_wire} == on_the_wire


def test_a_call_began_before_it_was_emitted(client, gateway):
    before = datetime.now(UTC).timestamp()
    call = sent(client, gateway, duration_seconds=3600)
    assert abs(datetime.fromisoformat(call["called_at"]).timestamp() - (before - 3600)) < 60


@pytest.mark.parametrize("value", ["yesterday", datetime(2026, 1, 1), 1e300, object()])  # noqa: DTZ001
def test_what_is_no_moment(value):
    with pytest.raises(Unusable):
        moment(value, "called_at")


def test_ids_are_unique_across_threads_and_turning_clocks():
    ids, found = CallIds(), []

    def make(start):
        found.extend([ids.at(start + step * 30) for step in range(40_000)])

    threads = [threading.Thread(target=make, args=(now,)) for now in (10**18, 10**18, 10**18 - 10**9, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found)


def test_a_large_batch_is_compressed_and_one_connection_is_kept(client, gateway):
    for number in range(5):
        client.emit(prompt="p" * 5000)
        assert client.flush(10)
        assert len(gateway.requests) == number + 1
    assert {headers["Content-Encoding"] for headers in gateway.requests} == {"gzip"}


def test_threads_share_a_client(client, gateway):
    def work(number):
        for step in range(200):
            client.emit(prompt=f"{number} {step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(20)
    assert len(gateway.calls) == 1600
    assert client.stats().acknowledged == 1600


@pytest.mark.parametrize("status", [302, 404, 408, 429, 500, 502, 503])
def test_what_may_pass_is_kept_and_arrives(client, gateway, status, ledger):
    gateway.answers.append(status)
    call_id = client.emit(prompt="p")
    assert client.flush(10)
    assert ledger() == [call_id]
    gateway.wait(lambda: call_id in gateway.calls)


@pytest.mark.parametrize("answer", [[], [{"call_id": "?", "status": "stored"}], [{"status": "odd"}], None, [3]])
def test_an_answer_that_makes_no_sense_promises_nothing(client, gateway, answer, ledger):
    gateway.answers.append(lambda events: answer)
    call_id = client.emit(prompt="p")
    assert client.flush(10)
    gateway.wait(lambda: call_id in gateway.calls)
    assert ledger() == [call_id]


def test_one_malformed_call_does_not_take_others_along(client, gateway):
    bad = "bad"
    original = gateway._answer

    def answer(kind, batch):
        if any(event["prompt"] == bad for event in batch[kind]):
            return 422, {}, {"error": {"field": "prompt", "message": "is bad", "remedy": "be good"}}
        return original(kind, batch)

    gateway._answer = answer
    for number in range(20):
        client.emit(prompt=bad if number == 7 else "good")
    assert client.flush(10)
    assert len(gateway.calls) == 19
    assert client.stats().rejected == 1


@pytest.mark.parametrize(
    "wrong", [{"sample_rate": 0}, {"transport": "pigeon"}, {"transport": "kafka"}, {"app": ""}, {"url": "nowhere"}]
)
def test_settings_that_cannot_work_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        Client(**{"app": "a", **wrong})


def test_a_misspelt_setting_is_refused_at_once():
    with pytest.raises(TypeError, match="ap_key"):
        Client(ap_key="x")


def test_settings_come_from_the_environment(monkeypatch, gateway, tmp_path):
    for name, value in {"URL": gateway.url, "APP": "env", "VERSION": "v7", "SPOOL": tmp_path, "MASK": "off"}.items():
        monkeypatch.setenv(f"TIDEMARK_{name}", str(value))
    client = Client()
    call = sent(client, gateway, prompt="a@example.org")
    client.close()
    assert (call["app"], call["version"], call["prompt"]) == ("env", "v7", "a@example.org")
