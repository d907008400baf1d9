"""Calls that came by reference, read back."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.shared.errors import Transient
from services.shared.object_store import Folder
from services.shared.payload_reader import PayloadDamaged, PayloadMissing, PayloadReader, parts_of, reading
from services.shared.payloads import Reference, apart, place
from tests.support.messages import CALLED_AT, a_call, a_score_of

KILOBYTE = "k" * 1024


class Counted(Folder):
    """A directory that counts what is read of it."""

    reads = 0

    def get(self, key, most):
        self.reads += 1
        return super().get(key, most)


@pytest.fixture
def store(tmp_path):
    return Counted(tmp_path)


def kept(store, **fields):
    """(the whole call, what travels), its payload in the store."""
    call = a_call(**{"prompt": KILOBYTE * 9, **fields})
    light, data = apart(call)
    key = place(call, Reference.of(data).digest)
    store.put(key, data)
    return call, light, store._root / key


def a_reader(store, *, after_seconds=1.0, **options):
    return PayloadReader(store, clock=lambda: CALLED_AT + timedelta(seconds=after_seconds), **options)


def test_a_call_that_came_whole_asks_nobody(store):
    call = a_call()
    assert a_reader(store).whole(call) is call
    assert store.reads == 0


def test_a_call_that_came_by_reference_is_whole_again(store):
    call, light, _ = kept(store)
    reader = a_reader(store)
    for _ in range(3):
        assert replace(reader.whole(light), payload_reference=None) == call
    assert store.reads == 1


def test_the_cache_holds_what_it_may(store):
    reader, lights = a_reader(store, cache_bytes=25_000), [kept(store, prompt=f"{n}" * 9000)[1] for n in range(6)]
    for _ in range(2):
        for light in lights:
            reader.whole(light)
            assert reader._held <= 25_000
    assert store.reads == 12
    reader.whole(lights[-1])
    assert store.reads == 12


def test_a_payload_of_another_tenant_is_not_there(store):
    _, light, _ = kept(store, tenant="acme")
    with pytest.raises(PayloadMissing):
        a_reader(store, after_seconds=90).whole(replace(light, tenant="rival"))


def test_what_is_missing_is_waited_for_and_then_given_up(store):
    _, light, path = kept(store)
    data = path.read_bytes()
    path.unlink()
    with pytest.raises(Transient):
        a_reader(store, after_seconds=30).whole(light)
    with pytest.raises(PayloadMissing, match="not in the store"):
        a_reader(store, after_seconds=61).whole(light)
    path.write_bytes(data)
    assert a_reader(store, after_seconds=61).whole(light).prompt == KILOBYTE * 9


def test_a_call_from_the_future_is_not_waited_for_until_then(store):
    _, light, path = kept(store, called_at=CALLED_AT + timedelta(minutes=5))
    path.unlink()
    now = [CALLED_AT]
    reader = PayloadReader(store, clock=lambda: now[0])
    with pytest.raises(Transient):
        reader.whole(light)
    now[0] += timedelta(minutes=2)
    with pytest.raises(PayloadMissing):
        reader.whole(light)


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b" ", lambda data: b"y" * len(data)])
def test_what_was_changed_is_never_scored(store, damage):
    _, light, path = kept(store)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PayloadDamaged):
        a_reader(store).whole(light)


def test_a_store_that_does_not_answer_is_waited_for(store):
    class Away(Folder):
        def get(self, key, most):
            raise RuntimeError("botocore says something")

    _, light, _ = kept(store)
    with pytest.raises(Transient, match="botocore"):
        a_reader(Away(store._root), after_seconds=900).whole(light)


def test_scores_are_of_whole_calls_in_order(store):
    calls = [kept(store, prompt=f"{n}" * 9000)[1] if n % 2 else a_call(prompt=f"{n}") for n in range(7)]
    handle = reading(a_reader(store), lambda calls: [a_score_of(call, len(call.prompt)) for call in calls])
    assert [score.value for score in handle(calls)] == [9000 if n % 2 else 1 for n in range(7)]


def test_no_more_payloads_at_a_time_than_fit(store):
    calls = [kept(store, prompt=f"{n}" * 9000)[1] for n in range(5)] + [a_call()]
    assert [len(part) for part in parts_of(calls, 20_000)] == [2, 2, 2]
    assert [len(part) for part in parts_of(calls, 1)] == [1, 1, 1, 1, 2]
    assert [len(part) for part in parts_of([a_call()] * 3, 1)] == [3]
    assert [len(part) for part in parts_of([a_call(payload_reference="none")] * 3, 1)] == [3]
