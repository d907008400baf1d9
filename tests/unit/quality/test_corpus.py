"""The value of many texts as one, against sacrebleu's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from services.quality.quality import bleu, chrf
from services.shared.aggregate import merge
from services.shared.corpus import corpus_value
from services.shared.scoring import Evaluator
from services.shared.tumbling import Timing
from services.windower.windower import Partition
from tests.support.messages import CALLED_AT, a_call

texts = st.lists(st.sampled_from("the a cat dog sat on mat . , 3.5 naïve 猫".split()), max_size=12).map(" ".join)
pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=20)
MEASURES = {"bleu": (bleu.BLEU, bleu.bleu), "chrf": (chrf.CHRF, chrf.chrf)}
THEIRS = {"bleu": BLEU, "chrf": CHRF}


def scores_of(name, given_pairs, probability=1.0):
    metric, judge = MEASURES[name]
    for response, reference in given_pairs:
        call = a_call(response=response, reference=reference, inclusion_probability=probability)
        yield Evaluator("quality", "1").score(call, metric, judge(call))


def window_of(scores, partition=0):
    windows = Partition(partition, [60], timing=Timing(settle_seconds=0))
    for offset, score in enumerate(scores):
        windows.add(score, offset)
    list(windows.tick(CALLED_AT.timestamp()))
    (window,) = windows.tick(CALLED_AT.timestamp() + 600)
    return window


def theirs(name, given_pairs):
    responses, references = zip(*given_pairs, strict=True)
    return THEIRS[name]().corpus_score(list(responses), [list(references)]).score


@pytest.mark.parametrize("name", MEASURES)
@given(pairs)
def test_a_window_is_worth_what_its_texts_are_worth_as_one(name, given_pairs):
    window = window_of(scores_of(name, given_pairs))
    assert window.corpus == pytest.approx(theirs(name, given_pairs), abs=1e-6)
    assert merge([window]).statistic("corpus") == window.corpus


@pytest.mark.parametrize("name", MEASURES)
@given(pairs, pairs)
def test_windows_merge_to_the_value_of_all_texts(name, some, others):
    parts = [window_of(scores_of(name, some), 0), window_of(scores_of(name, others), 1)]
    assert merge(parts).corpus == pytest.approx(theirs(name, [*some, *others]), abs=1e-6)


@pytest.mark.parametrize("name", MEASURES)
@given(pairs, pairs)
def test_a_call_that_stands_for_four_counts_four_times(name, sure, sampled):
    window = window_of([*scores_of(name, sure), *scores_of(name, sampled, 0.25)])
    assert window.corpus == pytest.approx(theirs(name, sure + 4 * sampled), abs=1e-6)


def test_it_is_not_the_mean_of_sentences():
    given_pairs = [("the cat sat on the mat", "the cat sat on the mat"), ("a dog", "the dog sat on a mat")]
    window = window_of(scores_of("bleu", given_pairs))
    assert abs(window.corpus - window.mean) > 1


def test_other_metrics_have_none():
    assert corpus_value("perplexity", {"anything": 1.0}) is None
    assert merge([]).statistic("corpus") is None
