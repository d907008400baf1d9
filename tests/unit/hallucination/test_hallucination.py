"""Groundedness with the head that ships."""

import gzip
import json
import time
from pathlib import Path

import pytest

from schemas.messages import Document
from services.hallucination import app as hallucination
from services.hallucination.config import Config
from services.hallucination.evidence import MOST_IN_ALL, WINDOW_CHARACTERS, Given, claims, pairs
from services.hallucination.hallucination import MOST_PASSES, RULES_VERSION, beside
from services.hallucination.signs import SIGNS, signs
from services.hallucination.words import Rarity, _kept_stem, stem, stems, words
from tests.support.messages import a_call
from tests.support.models import MODELS, shared_scorer

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


def test_a_model_that_runs_in_its_own_way_has_its_own_version_and_the_same_head(scorer):
    few = hallucination.scorer(Config(models=MODELS, max_windows=4))
    weights = few.tagger.weights_version
    assert (few.version, scorer.version) == (
        f"{weights}-w4+{few.head.version}+{RULES_VERSION}",
        f"{weights}+{few.head.version}+{RULES_VERSION}",
    )


def test_an_answer_taken_from_its_context_is_supported(scorer):
    found = score(scorer, SUPPORTED, CONTEXT)
    assert found.value < 0.3
    assert not found.evidence


def test_an_answer_about_something_else_is_not(scorer):
    assert score(scorer, INVENTED, CONTEXT).value > 0.8


@pytest.mark.parametrize(
    ("context", "supported", "invented"),
    [
        (
            "张伟于1990年出生在上海。他毕业于复旦大学计算机科学系,现在在北京的一家软件公司担任工程师。",
            "他在上海出生,现在是北京一家软件公司的工程师。",
            "张伟是一名医生,喜欢踢足球和游泳。",
        ),
        (
            "田中さんは1990年に大阪で生まれました。彼は京都大学で物理学を学び、現在は東京の自動車会社で働いています。",
            "大阪で生まれたのは1990年です。",
            "彼は去年倒産した銀行の社長で、サッカーが好きです。",
        ),
    ],
)
def test_without_spaces_between_words_it_is_told_too(scorer, context, supported, invented):
    assert score(scorer, supported, context).value < 0.4
    assert score(scorer, invented, context).value > 0.6


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


def given(*documents, question=""):
    return Given(documents, question, Rarity({}, unseen=5.0))


def signs_of(response, *documents, question=""):
    found = given(*documents, question=question)
    [claim] = claims(response, found)
    return dict(zip(SIGNS, signs(claim, found).sum(axis=0), strict=True))


BRIDGE = "The bridge was opened in 1887. It was painted red by Anna Smith. The tower was built in 1932 by John Doe."


def test_what_is_copied_shows_no_sign():
    assert not any(signs_of("It was painted red by Anna Smith.", BRIDGE).values())


@pytest.mark.parametrize(
    ("response", "sign"),
    [
        ("It was painted green by Anna Smith.", "novel"),
        ("The bridge was opened in 1899.", "novel_number"),
        ("It was painted red by Mary.", "novel_name"),
        ("It was painted red by Smith Anna.", "reversed"),
        ("The bridge was not opened in 1887.", "negated"),
        ("It was opened red by Anna Smith.", "unbonded"),
    ],
)
def test_each_twist_shows_its_sign(response, sign):
    assert signs_of(response, BRIDGE)[sign] > 0


def test_a_number_from_elsewhere_in_the_context_is_displaced():
    far = f"{BRIDGE} Ships pass below. Boats pass, too. The river froze in 1740."
    found = signs_of("The bridge was opened in 1740.", far)
    assert (found["displaced_number"], found["novel_number"]) == (1, 0)


def test_a_word_of_the_question_alone_is_asked_not_novel():
    found = signs_of("The bridge is purple.", BRIDGE, question="Is it purple?")
    assert found["asked"] > 0
    assert found["novel"] == 0


def test_the_window_holds_the_passages_that_bear_on_the_claim():
    filler = "Nothing of interest stands here at all today. " * 50
    found = given(f"{filler} The bridge was opened in 1887. {filler}")
    [pair] = pairs(claims("The bridge was opened in 1887.", found), found)
    assert "The bridge was opened in 1887." in pair.window
    assert len(pair.window) <= WINDOW_CHARACTERS + 100


def test_a_claim_is_supported_by_several_passages():
    found = given("Anna lives in Rome.", "Bob lives in Oslo.", "Ships sail.")
    [claim] = claims("Anna and Bob live in Rome and Oslo.", found)
    assert {found.passages[at].text for at in claim.supports} == {"Anna lives in Rome.", "Bob lives in Oslo."}


def test_the_model_reads_only_what_shows_a_sign():
    assert beside("It was painted red by Anna Smith.", given(BRIDGE)).read == []
    assert len(beside("It was painted green.", given(BRIDGE)).read) == 1


def test_of_a_very_long_response_the_model_reads_the_worst():
    green = "It was painted green. " * 500
    response = "It was painted red. " * 500 + green + "Maersk bought Korean vessels. " + green
    read = beside(response, given(BRIDGE)).read
    assert len(read) == MOST_PASSES
    worst = response.index("Maersk")
    assert any(pair.start <= worst < pair.end for pair in read)
    assert all("green" in response[pair.start : pair.end] for pair in read)  # what it copies, it leaves out


def test_words_know_numbers_and_names():
    found = [(word.stem, word.kind) for word in words("Paris. Anna saw Maria pay 1,200")]
    assert found == [
        ("pari", "word"),
        ("anna", "word"),
        ("saw", "word"),
        ("maria", "name"),
        ("pay", "word"),
        ("1200", "number"),
    ]


@pytest.mark.parametrize("text", ["İstanbul", "İSTANBUL İzmir'de", "Straße 1,200"])
def test_a_question_and_a_response_give_a_word_the_same_stem(text):
    assert stems(text) == {word.stem for word in words(text)}


def test_very_long_words_are_not_kept():
    before = _kept_stem.cache_info().currsize
    assert len(stem("x" * 200_000)) == 200_000
    assert _kept_stem.cache_info().currsize == before


def test_swaps_within_the_context_raise_the_risk(scorer):
    swapped = SUPPORTED.replace("can be joined many times", "cannot be joined many times")
    assert score(scorer, swapped, CONTEXT).value > score(scorer, SUPPORTED, CONTEXT).value


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


def test_the_time_grows_with_the_documents_and_not_with_documents_by_words():
    found = given(*(f"Document {number} holds word{number}x." for number in range(10_000)))
    response = "".join(f"Another word{number}x stands here. " for number in range(4000))
    before = time.process_time()
    sum(signs(claim, found).sum() for claim in claims(response, found))
    assert time.process_time() - before < 8


def test_all_of_many_long_documents_is_known():
    documents = [
        "\n".join(f"line {line} of file {file} holds word{line * 10 + file}x here" for line in range(1000))
        for file in range(6)
    ]
    given = Given(documents, "What do the files hold?", Rarity({}, unseen=5.0))
    assert len(given.passages) <= MOST_IN_ALL
    for line, file in ((0, 0), (999, 0), (500, 5), (999, 5)):
        assert stems(f"word{line * 10 + file}x") <= given.known
