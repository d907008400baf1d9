"""A scorer that is behind, on a real broker."""

from datetime import timedelta

import pytest

from schemas.messages import CallError, Feedback, Score
from schemas.topics import CALLS, FEEDBACK, SCORES, dead_letters
from services.shared import metrics
from services.shared.pipeline import Pipeline
from services.shared.process import utc_now
from services.shared.sampling import LagBounds, Sampler, place_of
from services.shared.scoring import Evaluator, Measured, Metric
from services.shared.tail import Tail
from tests.support.broker import committed, declare, eventually, log_of, put
from tests.support.messages import CALLED_AT, a_call
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded

NAME = "toxicity"
LENGTH = Metric("length", unit="1", worse="higher")


def score_each(calls):
    return [Evaluator("test", "1").score(call, LENGTH, Measured(1.0)) for call in calls]


def a_thumb(call):
    return Feedback(
        call_id=call.call_id, feedback_id=call.call_id, tenant=call.tenant, kind="thumbs", given_at=CALLED_AT
    )


async def scores(kafka):
    return {score.call_id: score for score in [Score.decode(each.value) for each in await log_of(kafka, SCORES)]}


@pytest.fixture
async def topics(kafka):
    await declare(kafka, CALLS, SCORES, FEEDBACK, dead_letters(NAME))


def started(kafka, folder, sample, *, behind_seconds, handle=score_each, **settings):
    """The pipeline in a process whose clock says that everything was taken so long ago."""
    pipeline = Pipeline(NAME, reads=CALLS, writes=SCORES, handle=handle, sample=sample)
    process = a_process(kafka, folder, **settings)
    process.clock = lambda: utc_now() + timedelta(seconds=behind_seconds)
    return running(pipeline, process)


def all_committed(kafka, count):
    async def check():
        return sum((await committed(kafka, CALLS, NAME)).values()) == count

    return check


async def test_a_scorer_that_is_behind_scores_a_sample_errors_and_feedback_first(kafka, topics, tmp_path):
    plain = [a_call(inclusion_probability=0.5) for _ in range(800)]
    failed = [a_call(error=CallError(kind="timeout")) for _ in range(20)]
    rated = [a_call() for _ in range(20)]
    await put(kafka, CALLS, [call.encode() for call in plain + failed + rated])
    await put(kafka, FEEDBACK, [a_thumb(call).encode() for call in rated])
    before = metrics.SAMPLED_OUT.labels(NAME)._value.get()
    lags = []

    def score_and_look(calls):
        lags.append(metrics.LAG_SECONDS.labels(NAME)._value.get())
        return score_each(calls)

    tail = Tail(FEEDBACK, 1000)
    async with running(tail, a_process(kafka, tmp_path)):
        await eventually(tail.ready.is_set)
        sampler = Sampler(NAME, LagBounds(seconds=60), tail)
        async with started(kafka, tmp_path, sampler, behind_seconds=400, handle=score_and_look):
            await eventually(all_committed(kafka, 840))
    found = await scores(kafka)
    chosen = [call for call in plain if place_of(call.call_id) < 0.125]
    assert set(found) == {call.call_id for call in chosen + failed + rated}
    assert {found[call.call_id].inclusion_probability for call in chosen} == {0.5 * 0.125}
    assert {found[call.call_id].inclusion_probability for call in failed + rated} == {1.0}
    assert metrics.SAMPLED_OUT.labels(NAME)._value.get() - before == len(plain) - len(chosen)
    assert min(lags) >= 400


async def test_who_has_caught_up_scores_everything_again(kafka, topics, tmp_path):
    late, punctual = ([a_call() for _ in range(300)] for _ in range(2))
    sampler = Sampler(NAME, LagBounds(seconds=60))
    await put(kafka, CALLS, [call.encode() for call in late])
    async with started(kafka, tmp_path, sampler, behind_seconds=400):
        await eventually(all_committed(kafka, 300))
    chosen = {call.call_id for call in late if place_of(call.call_id) < 0.125}
    assert set(await scores(kafka)) == chosen
    await put(kafka, CALLS, [call.encode() for call in punctual])
    async with started(kafka, tmp_path, sampler, behind_seconds=0):
        await eventually(all_committed(kafka, 600))
    found = await scores(kafka)
    assert set(found) == chosen | {call.call_id for call in punctual}
    assert {found[call.call_id].inclusion_probability for call in punctual} == {1.0}


async def test_a_replay_leaves_nothing_out(kafka, topics, tmp_path):
    await put(kafka, CALLS, [a_call().encode() for _ in range(200)])
    sampler = Sampler(NAME, LagBounds(seconds=60))
    async with started(kafka, tmp_path, sampler, behind_seconds=4000, replay="again"):
        await eventually(lambda: _scored(kafka, 200))
    assert {score.inclusion_probability for score in (await scores(kafka)).values()} == {1.0}


async def _scored(kafka, count):
    return len(await scores(kafka)) == count


async def test_the_tail_knows_the_newest_keys_only(kafka, topics, tmp_path):
    calls = [a_call(trace_id="one") for _ in range(30)]
    await put(kafka, FEEDBACK, [a_thumb(call).encode() for call in calls])
    tail = Tail(FEEDBACK, 10)
    async with running(tail, a_process(kafka, tmp_path)):
        await eventually(tail.ready.is_set)
        later = a_call()
        await put(kafka, FEEDBACK, [a_thumb(later).encode()])
        await eventually(lambda: f"{later.tenant}|{later.call_id}" in tail)
    known = [f"{call.tenant}|{call.call_id}" in tail for call in calls]
    assert sum(known) == 9
