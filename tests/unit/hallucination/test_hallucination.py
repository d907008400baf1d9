"""Groundedness with the head that ships."""

import gzip
import json
from pathlib import Path

import pytest

from schemas.messages import Document
from services.hallucination.hallucination import windows_of
from services.hallucination.words import Rarity, stems
from tests.support.messages import a_call
from tests.support.models import shared_scorer

DATA = Path(__file__).parents[4] / "shared" / "data"
CONTEXT = (
    "Thread.join(timeout=None) waits until the thread terminates. This blocks the calling thread until the thread "
    "whose join() method is called terminates, either normally or through an unhandled exception, or until the "
    "optional timeout occurs. A thread can be joined many times."
)
SUPPORTED = "It waits until the thread terminates, or until the timeout occurs. A thread can be joined many times."
INVENTED = "The Danish shipping company Maersk bought eleven container vessels from a Korean yard in 2019."


@pytest.fixture(scope="module")
def scorer():
    return shared_scorer("hallucination")


def score(scorer, response, *context):
    documents = tuple(Document(text=text) for text in context)
    [found] = scorer.score([a_call(prompt="What does Thread.join do?", response=response, context=documents)])
    return found


def test_an_answer_taken_from_its_context_is_supported(scorer):
    found = score(scorer, SUPPORTED, CONTEXT)
    assert found.value < 0.3
    assert not found.evidence


def test_an_answer_about_something_else_is_not(scorer):
    assert score(scorer, INVENTED, CONTEXT).value > 0.8


def test_the_sentences_that_nothing_supports_are_the_evidence(scorer):
    response = f"{INVENTED} {SUPPORTED} {INVENTED}"
    found = score(scorer, response, CONTEXT)
    assert found.label
    assert [response[span.start : span.end] for span in found.evidence] == [INVENTED, INVENTED]


def test_any_of_several_documents_may_support(scorer):
    alone, among = score(scorer, SUPPORTED, CONTEXT), score(scorer, SUPPORTED, INVENTED, CONTEXT, "Something else.")
    assert among.value == pytest.approx(alone.value, abs=2e-2)


def test_words_of_the_question_are_not_new(scorer):
    [asked] = scorer.score([a_call(prompt=INVENTED, response=INVENTED, context=(Document(text=CONTEXT),))])
    assert asked.value < score(scorer, INVENTED, CONTEXT).value


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"context": ()}, "context"),
        ({"context": (Document(text=" "),)}, "context"),
        ({"response": None, "context": (Document(text=CONTEXT),)}, "response"),
    ],
)
def test_what_cannot_be_judged_says_why(scorer, fields, reason):
    [found] = scorer.score([a_call(**fields)])
    assert (found.status, found.reason) == ("not_scored", reason)


def test_windows_are_whole_sentences_and_hold_the_whole_document():
    document = "One sentence of some length stands here. " * 60
    windows = windows_of(document)
    assert all(window.strip().endswith(".") for window in windows)
    assert " ".join(windows).split() == document.split()


def test_rarity_weighs_new_words():
    rarity = Rarity({"thread": 1.0}, unseen=5.0)
    assert rarity.mass(stems("Threads joined")) == 6.0


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data sets")
@pytest.mark.slow
def test_long_answers_that_people_wrote_from_a_passage_are_mostly_supported(scorer):
    with gzip.open(DATA / "grounded_long.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file][::6]
    calls = [
        a_call(prompt=row["prompt"], response=row["response"], context=(Document(text=row["context"]),)) for row in rows
    ]
    assert sum(bool(found.label) for found in scorer.score(calls)) <= 0.15 * len(calls)
