"""Which version serves, and what stays when nobody can be asked."""

import threading

import pytest
from tidemark.deployment import drawn


def publish(gateway, version, **more):
    with gateway.changed:
        gateway.etag += 1
        gateway.deployment = {"version": version, "revision": gateway.etag, "bundle": {"model": "m"}, **more}


@pytest.fixture
def follower(make_client):
    """A client that is told its version by nobody but the gateway."""
    return lambda **options: make_client(version="", default_version="v0", poll_seconds=0.01, **options)


def seen(gateway, polls=2):
    """Wait until the client asked so often again: what came before is settled."""
    start = len(gateway.polls)
    gateway.wait(lambda: len(gateway.polls) >= start + polls)


def test_the_default_serves_until_there_is_an_answer(follower, gateway):
    client = follower()
    seen(gateway)
    assert client.deployment() == ("v0", {}, 0, None, "default")
    publish(gateway, "v1")
    seen(gateway)
    assert client.deployment() == ("v1", {"model": "m"}, 1, None, "gateway")


def test_calls_carry_the_version_that_served(follower, gateway):
    publish(gateway, "v1")
    client = follower()
    seen(gateway)
    first = client.emit(prompt="a")
    publish(gateway, "v2")
    seen(gateway)
    second, pinned = client.emit(prompt="b"), client.emit(prompt="c", version="v9")
    assert client.flush(10)
    assert [gateway.calls[call_id]["version"] for call_id in (first, second, pinned)] == ["v1", "v2", "v9"]


def test_what_did_not_change_is_not_sent_again(follower, gateway):
    publish(gateway, "v1")
    client = follower()
    seen(gateway, 3)
    assert gateway.polls[-1]["If-None-Match"] == '"1"'
    assert client.deployment().version == "v1"


def test_the_last_answer_is_kept_for_the_next_process(follower, gateway):
    publish(gateway, "v1")
    first = follower()
    seen(gateway)
    first.close()
    gateway.stop()
    second = follower()
    assert (second.deployment().version, second.deployment().source) == ("v1", "disk")
    call = second.track(prompt="p").start()
    assert call._version == "v1"


def test_an_answer_that_makes_no_sense_changes_nothing(follower, gateway):
    publish(gateway, "v1")
    client = follower()
    seen(gateway)
    with gateway.changed:
        gateway.etag, gateway.deployment = 99, {"surprise": True}
    seen(gateway)
    assert client.deployment().version == "v1"


def test_a_unit_stays_on_its_arm(follower, gateway):
    publish(gateway, "v1", weights={"v1": 0.8, "v2": 0.2})
    client = follower()
    seen(gateway)
    arms = [client.deployment(f"user-{number}").arm for number in range(1000)]
    assert arms == [client.deployment(f"user-{number}").arm for number in range(1000)]
    assert 140 < arms.count("v2") < 260
    assert client.deployment().arm is None


def test_a_weight_of_nothing_gets_nothing():
    assert {drawn({"v1": 0.0, "v2": 1.0, "v3": 0.0}, str(number)) for number in range(200)} == {"v2"}


def test_a_unit_that_is_no_proper_text_has_an_arm():
    assert drawn({"v1": 1.0}, "\ud800") == "v1"


def test_where_no_thread_can_be_had_the_default_serves_and_a_later_use_asks(follower, gateway, monkeypatch):
    begin = threading.Thread.start

    def limited(thread):
        if thread.name == "tidemark-deployment":
            raise RuntimeError("can't start new thread")
        begin(thread)

    publish(gateway, "v1")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", limited)
        client = follower()
        assert client.deployment("user").version == "v0"
    client.deployment()
    seen(gateway)
    assert client.deployment().version == "v1"
