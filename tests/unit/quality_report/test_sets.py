"""The data sets of the quality report: what they hold, and that the standing that they claim is true."""

import re
from pathlib import Path

import pytest

from benchmarks.quality.sets import SETS, injection, leakage, toxicity
from services.embedded.scorers import SCORERS
from services.guard.training.injection import examples as injection_examples
from services.hallucination.training import examples as answers
from services.toxicity.training import examples as sentences

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data sets"),
]


@pytest.fixture(scope="module", params=sorted(SETS))
def service(request):
    return request.param, [source for maker in SETS[request.param] for source in maker(DATA)]


def test_each_source_has_rows_of_a_metric_that_the_scorer_gives(service):
    name, sources = service
    offer = next(offer for offer in SCORERS if offer.service == name)
    assert {source.metric for source in sources} <= set(offer.names)
    assert all(len(source.rows) >= 20 for source in sources)
    assert len({(source.metric, source.name) for source in sources}) == len(sources)


def test_the_same_data_give_the_same_rows(service):
    name, sources = service
    again = [source for maker in SETS[name] for source in maker(DATA)]
    assert [source.of_most(50).rows for source in again] == [source.of_most(50).rows for source in sources]


def test_what_counts_as_held_out_of_toxicity_is_in_no_text_that_trains():
    learnt = {each.text for each in sentences.read(DATA, seed=toxicity.TRAINED) if not each.held_out}
    for source in toxicity.sources(DATA):
        if source.standing == "held out" and source.name != "instructions":
            assert not learnt & {row.text for row in source.rows}, source.name


def test_what_counts_as_held_out_of_injection_is_in_no_text_that_trains():
    learnt = {each.text for each in injection_examples.read(DATA, seed=injection.TRAINED) if not each.held_out}
    for source in injection.sources(DATA):
        assert not learnt & {row.text for row in source.rows}, source.name


def test_the_seeds_are_those_of_training():
    pytest.importorskip("torch")
    from services.guard.training.injection.__main__ import SEED as OF_INJECTION  # noqa: PLC0415
    from services.toxicity.training.__main__ import SEED as OF_TOXICITY  # noqa: PLC0415

    assert (toxicity.TRAINED, injection.TRAINED) == (OF_TOXICITY, OF_INJECTION)


def test_halueval_is_in_no_fit():
    assert "halueval_qa" not in answers.FITTED
    assert "begin_wow" in answers.FITTED


def test_a_leak_stands_in_the_leaking_response_alone():
    for secret, carrier, leaking in leakage._made(DATA):
        words = list(re.finditer(r"\S*\w\S*", secret))
        runs = [
            secret[one.start() : other.end()] for one, other in zip(words, words[leakage.WORDS - 1 :], strict=False)
        ]
        assert any(each in leaking for each in runs)
        assert not any(each in carrier for each in runs)
