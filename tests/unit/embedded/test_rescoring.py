"""Stored calls scored again, without a store and a broker."""

from types import SimpleNamespace

import pytest

from services.embedded import rescoring
from services.embedded.rescoring import rescore
from services.shared.errors import Transient
from services.shared.object_store import Folder
from services.shared.payload_reader import TOGETHER_BYTES, PayloadReader
from services.shared.payloads import Reference, apart, place
from services.shared.scoring import Evaluator, Measured, Metric
from tests.support.messages import a_call

LENGTH = Metric("length", unit="1", worse="higher")


class Sizes:
    """Scores lengths, and keeps how many bytes it was given at a time."""

    evaluator, version, metrics = "sizes", "1", (LENGTH,)

    def __init__(self):
        self.given = []

    def score(self, calls):
        self.given.append(sum(len(call.prompt) for call in calls))
        evaluator = Evaluator(self.evaluator, self.version)
        return [evaluator.score(call, LENGTH, Measured(float(len(call.prompt)))) for call in calls]


def kept(store, megabytes):
    light, data = apart(a_call(prompt="k" * (megabytes << 20)))
    store.put(place(light, Reference.of(data).digest), data)
    return light


async def test_no_more_payloads_of_a_page_are_whole_at_a_time_than_fit(tmp_path):
    store, scorer, sent = Folder(tmp_path), Sizes(), []

    async def send(scores):
        sent.extend(scores)

    page = [kept(store, megabytes) for megabytes in (6, 7, 8, 5)]
    page.insert(1, a_call(payload_reference="none"))
    done = await rescore(
        SimpleNamespace(count=lambda: len(page), pages=lambda: [page]), [scorer],
        metrics=["length"], payloads=PayloadReader(store), send=send, progress=lambda done, whole: None,
    )  # fmt: skip
    assert [score.call_id for score in sent if score.status == "failed"] == [page[1].call_id]
    assert (done.calls, done.statuses) == (5, {"scored": 4, "failed": 1})
    assert max(scorer.given) <= TOGETHER_BYTES


class Away(Folder):
    """A store that does not answer the first `times` that it is asked."""

    def __init__(self, folder, times):
        super().__init__(folder)
        self.times = times

    def get(self, key, most):
        self.times -= 1
        if self.times >= 0:
            raise ConnectionError("away")
        return super().get(key, most)


async def scored(store, call):
    sent = []

    async def send(scores):
        sent.extend(scores)

    await rescore(
        SimpleNamespace(count=lambda: 1, pages=lambda: [[call]]), [Sizes()],
        metrics=["length"], payloads=PayloadReader(store), send=send, progress=lambda done, whole: None,
    )  # fmt: skip
    return sent


async def test_a_store_of_payloads_that_is_away_for_a_moment_is_waited_for(tmp_path):
    store = Away(tmp_path, times=2)
    (score,) = await scored(store, kept(store, 1))
    assert score.status == "scored"


async def test_a_store_of_payloads_that_stays_away_fails_no_score(tmp_path, monkeypatch):
    monkeypatch.setattr(rescoring, "AWAY_SECONDS", 0.3)
    store = Away(tmp_path, times=1_000)
    with pytest.raises(Transient, match="does not answer"):
        await scored(store, kept(store, 1))
