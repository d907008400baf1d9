"""Stored calls scored again, without a store and a broker."""

from types import SimpleNamespace

from services.embedded.rescoring import rescore
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
