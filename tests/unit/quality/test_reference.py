"""Measures against a reference: equal to the reference libraries, and what they say of what is missing."""

import gzip
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality.quality import answer_match, bleu, chrf, rouge
from services.quality.quality.similarity import similarities
from services.shared.scoring import Measured, Missing
from tests.support.messages import a_call
from tests.support.models import an_encoder

DATA = Path(__file__).parents[4] / "shared" / "data"
REFERENCES = DATA / "references.jsonl.gz"
LIBRARY = "ignore::DeprecationWarning", "ignore::SyntaxWarning"
WORDS = "the a cat, dog. It's 3.5 naïve & straße Ünïcode x-y 猫 &quot; </b>".split(" ")
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join))


def value(judge, response, reference):
    found = judge(a_call(response=response, reference=reference))
    return found.value if isinstance(found, Measured) else found


@pytest.fixture(scope="module")
def sacrebleu():
    return pytest.importorskip("sacrebleu")


@pytest.fixture(scope="module")
def rouge_score():
    module = pytest.importorskip("rouge_score.rouge_scorer")
    return module.RougeScorer(["rouge1", "rouge2", "rougeL"])


def expected(sacrebleu, rouge_score, response, reference):
    theirs = rouge_score.score(reference, response)
    return {
        bleu.bleu: sacrebleu.sentence_bleu(response, [reference]).score,
        chrf.chrf: sacrebleu.sentence_chrf(response, [reference]).score,
        rouge.rouge_1: theirs["rouge1"].fmeasure,
        rouge.rouge_2: theirs["rouge2"].fmeasure,
        rouge.rouge_l: theirs["rougeL"].fmeasure,
    }


def check(sacrebleu, rouge_score, response, reference):
    for judge, theirs in expected(sacrebleu, rouge_score, response, reference).items():
        ours = value(judge, response, reference)
        if ours == rouge.NO_WORDS:
            assert theirs == 0
        else:
            assert ours == pytest.approx(theirs, abs=1e-6), judge


@pytest.mark.filterwarnings(*LIBRARY)
@given(texts, texts)
def test_values_are_those_of_the_reference_libraries(sacrebleu, rouge_score, response, reference):
    check(sacrebleu, rouge_score, response, reference)


@pytest.mark.filterwarnings(*LIBRARY)
@pytest.mark.skipif(not REFERENCES.exists(), reason="needs the shared data sets")
def test_values_are_those_of_the_reference_libraries_on_translations(sacrebleu, rouge_score):
    with gzip.open(REFERENCES, "rt") as lines:
        rows = [json.loads(line) for line in itertools.islice(lines, 0, None, 90)]
    assert len(rows) > 300
    for row in rows:
        check(sacrebleu, rouge_score, row["hyp"], row["ref"])


def test_the_version_is_the_libraries_signature(sacrebleu):
    theirs = sacrebleu.BLEU(effective_order=True)
    theirs.sentence_score("a", ["a"])
    assert bleu.version() == f"bleu:{theirs.get_signature().format(short=True)}"


JUDGES = (bleu.bleu, chrf.chrf, rouge.rouge_1, rouge.rouge_l, answer_match.exact_match, answer_match.token_f1)


@pytest.mark.parametrize("judge", JUDGES)
def test_what_is_missing_is_named(judge):
    assert value(judge, "an answer", None) == Missing("reference")
    assert value(judge, None, "a reference") == Missing("response")


@pytest.mark.parametrize("judge", JUDGES)
def test_an_empty_response_is_a_wrong_one(judge):
    assert value(judge, "", "a reference") == 0


def test_rouge_does_not_judge_what_it_cannot_read():
    assert value(rouge.rouge_1, "東京です", "東京です") == rouge.NO_WORDS
    assert value(chrf.chrf, "東京です", "東京です") == 100


@pytest.mark.parametrize(
    ("response", "reference", "same"),
    [
        ("The Eiffel Tower!", "eiffel tower", True),
        ("Eiffel", "Eiffel Tower", False),
        ("東京 です。", "東京です。", True),
        ("42", "42.0", False),
        ("", "", True),
        ("...", "the", True),
    ],
)
def test_exact_match_is_of_normalised_tokens(response, reference, same):
    assert value(answer_match.exact_match, response, reference) == float(same)


def test_token_f1_is_the_share_of_common_tokens():
    assert value(answer_match.token_f1, "in Paris, France", "Paris") == pytest.approx(2 * 1 / (3 + 1))


@given(texts, texts)
def test_token_f1_is_symmetric_and_one_for_a_match(one, other):
    assert value(answer_match.token_f1, one, other) == value(answer_match.token_f1, other, one)
    assert value(answer_match.token_f1, one, one) == 1


def test_what_means_the_same_is_closer_than_what_does_not():
    reference = "The meeting was moved to Friday."
    calls = [a_call(response=text, reference=reference) for text in ("It now takes place on Friday.", "I like cheese.")]
    close, far = similarities(an_encoder(), [calls[0], a_call(), calls[1]])[::2]
    assert close.value > far.value + 0.2


@pytest.mark.parametrize(("one", "other"), [("ใช่", "ไม่ใช่"), ("谢谢", "你好"), ("\U0001f44d", "\U0001f44e")])
def test_texts_in_unknown_words_are_close_to_themselves_alone(one, other):
    calls = [a_call(response=one, reference=text) for text in (other, one, "Yes.")]
    unlike, same, half = similarities(an_encoder(), calls)
    assert (unlike, half) == (Missing("response in known words"), Missing("response in known words"))
    assert same.value == pytest.approx(1, abs=1e-2)
    [of_reference] = similarities(an_encoder(), [a_call(response="Yes.", reference=one)])
    assert of_reference == Missing("reference in known words")


def test_without_references_no_text_is_encoded():
    assert similarities(None, [a_call(), a_call()]) == [Missing("reference"), Missing("reference")]
