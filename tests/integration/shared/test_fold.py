"""What every fold must survive, on a real broker."""

import asyncio

import pytest

from schemas.messages import Score
from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.consumer import Consumer
from services.shared.errors import Transient
from services.shared.fold import Fold
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import a_call, a_score_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "windower"


class Session:
    """Holds a call until the call that closes its session has come, then emits a score for it."""

    def __init__(self) -> None:
        self.open, self.due = {}, []

    def add(self, records) -> None:
        for record in records:
            call = record.message
            if call.prompt == "poison":
                raise ValueError("poison")
            if call.prompt == "close":
                _, opened = self.open.pop(call.session_id, (None, None))
                self.due += [opened] if opened else []
            else:
                self.open.setdefault(call.session_id, (record.offset, call))

    def tick(self, now):
        emitted, self.due = [a_score_of(call) for call in self.due], []
        return emitted

    def needed(self):
        return min((offset for offset, _ in self.open.values()), default=None)


def a_fold():
    return Fold(NAME, reads=CALLS, writes=SCORES, state=lambda partition: Session(), tick_seconds=0.05)


def committed_is(kafka, offset):
    async def check():
        return (await committed(kafka, CALLS, NAME)).get(0) == offset

    return check


async def emitted(kafka):
    return {Score.decode(each.value).call_id for each in await log_of(kafka, SCORES)}


async def test_commits_no_further_than_what_is_still_needed(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))
    first, second, third = (a_call(session_id=session) for session in "abc")
    close = {session: a_call(session_id=session, prompt="close") for session in "abc"}
    # Sessions interleave: b closes while a and c are open.
    await put(kafka, CALLS, [each.encode() for each in (first, second, third, close["b"])])
    async with running(a_fold(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 0))
        await eventually(lambda: _is(kafka, {second.call_id}))
    # A second life is given the open sessions again, from the offset that was still needed.
    await put(kafka, CALLS, [close["a"].encode(), close["c"].encode()])
    async with running(a_fold(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 6))
    assert await emitted(kafka) == {first.call_id, second.call_id, third.call_id}


async def _is(kafka, expected):
    return await emitted(kafka) == expected


async def test_a_record_that_fails_goes_to_the_dead_letters_and_the_others_are_kept(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))
    calls = [a_call(session_id=str(n), prompt="poison" if n == 3 else "why?") for n in range(8)]
    closes = [a_call(session_id=str(n), prompt="close") for n in range(8)]
    await put(kafka, CALLS, [call.encode() for call in calls + closes])
    async with running(a_fold(), a_process(kafka, tmp_path)):
        await eventually(committed_is(kafka, 16))
    assert await emitted(kafka) == {call.call_id for call in calls if call.prompt != "poison"}
    assert len(await log_of(kafka, dead_letters(NAME))) == 1


async def test_ticks_alone_are_no_progress_while_something_is_left_to_read(kafka, tmp_path, monkeypatch):
    async def nothing(self, most, wait_seconds):
        await asyncio.sleep(wait_seconds)
        return {}

    monkeypatch.setattr(Consumer, "_take", nothing)  # a client that hangs
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))
    await put(kafka, CALLS, [a_call().encode()])
    process = a_process(kafka, tmp_path)
    async with running(a_fold(), process):
        (progress,) = await eventually(lambda: [each for each in process.progress if each.lag])
        advanced_at = progress.advanced_at
        await asyncio.sleep(1)
        assert progress.advanced_at == advanced_at


class Hesitant(Session):
    """Says of each call what it says once; whoever is asked second cannot at first."""

    def __init__(self, said) -> None:
        super().__init__()
        self.said, self.tries = said, 3

    def add(self, records) -> None:
        self.due += [record.message for record in records]

    def tick(self, now):
        if self.due and self.said and self.tries:
            self.tries -= 1
            raise Transient("the store is away")
        self.said += self.due
        return super().tick(now)


async def test_what_one_state_has_said_outlasts_that_another_has_to_be_asked_again(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))
    calls = [a_call() for _ in range(2)]
    for partition, call in enumerate(calls):
        await put(kafka, CALLS, [call.encode()], partition=partition)
    said = []
    fold = Fold(NAME, reads=CALLS, writes=SCORES, state=lambda _: Hesitant(said), tick_seconds=0.05)
    async with running(fold, a_process(kafka, tmp_path, linger_seconds=1)):
        await eventually(lambda: _committed_both(kafka))
    assert await emitted(kafka) == {call.call_id for call in calls}


async def _committed_both(kafka):
    return await committed(kafka, CALLS, NAME) == {0: 1, 1: 1}


class Numbers:
    """Emits a score for each call that is new to the group, of how many calls it remembers before it."""

    def __init__(self) -> None:
        self.known, self.due = [], []

    def add(self, records) -> None:
        for record in records:
            self.due.append(a_score_of(record.message, value=float(len(self.known))))
            self.known.append(record.offset)

    def recall(self, records) -> None:
        self.known += [record.offset for record in records]

    def tick(self, now):
        emitted, self.due = self.due, []
        return emitted

    def needed(self):
        return None


async def test_with_a_lookback_a_fresh_state_is_given_what_lies_before_and_emits_none_of_it(kafka, tmp_path):
    await declare(kafka, CALLS, SCORES, dead_letters(NAME))
    calls = [a_call() for _ in range(12)]

    def looking_back():
        return Fold(NAME, reads=CALLS, writes=SCORES, state=lambda _: Numbers(), tick_seconds=0.05, lookback=3)

    for begin, end in ((0, 2), (2, 7), (7, 12)):
        await put(kafka, CALLS, [call.encode() for call in calls[begin:end]])
        async with running(looking_back(), a_process(kafka, tmp_path)):
            await eventually(committed_is(kafka, end))
    found = [Score.decode(each.value) for each in await log_of(kafka, SCORES)]
    values = {score.call_id: score.value for score in found}
    assert len(found) == len(calls)
    # Of the second life two lie before, of the third three.
    assert [values[call.call_id] for call in calls] == [0, 1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 7]
