"""Presidio itself where it is installed, and what is said where it is not."""

import sys

import pytest

from services.guard.guard import pii
from services.guard.presidio import PIECE, Presidio
from services.shared.errors import Unusable
from tests.support.messages import a_call

pytestmark = pytest.mark.filterwarnings("ignore")  # of what it imports
TEXT = "Ada Lovelace in Dover, ada@example.com, card 4111 1111 1111 1111, 192.168.1.7, IBAN DE89370400440532013000."
KINDS = ["PERSON", "ADDRESS", "EMAIL", "CREDIT_CARD", "IP", "IBAN"]


@pytest.fixture(scope="module")
def finder(tmp_path_factory):
    spacy = pytest.importorskip("spacy", reason="the extra `presidio` is not installed")
    model = spacy.blank("en")
    model.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "PERSON", "pattern": "Ada Lovelace"},
            {"label": "GPE", "pattern": "Dover"},
        ]
    )
    folder = tmp_path_factory.mktemp("spacy")
    model.to_disk(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TLDEXTRACT_CACHE", str(tmp_path_factory.mktemp("suffixes")))  # which none has filled
        patched.setattr("socket.getaddrinfo", None)  # what asks the internet for anything fails
        yield Presidio.load(str(folder))


def test_what_it_finds_has_our_kinds(finder):
    found = finder.find(TEXT)
    assert [each.kind for each in found] == KINDS
    assert [TEXT[each.start : each.end] for each in found[:3]] == ["Ada Lovelace", "Dover", "ada@example.com"]


def test_it_scores_as_the_built_in_search_does(finder):
    prompt, response = pii.scorer(finder).score([a_call(prompt=TEXT, response="None at all.")])
    assert (prompt.metric, prompt.status, prompt.label) == ("prompt_pii", "scored", True)
    assert [span.kind for span in prompt.evidence] == KINDS
    assert (response.value, response.label) == (0.0, False)
    assert prompt.evaluator_version.startswith("pii.1-presidio.2.")


def test_long_texts_are_read_to_the_end_and_by_characters(finder):
    text = "Word " * (PIECE // 4) + "x" * (2 * PIECE) + " \ud800\U0001f600 to ada@example.com"
    [found] = finder.find(text)
    assert (text[found.start : found.end], found.kind) == ("ada@example.com", "EMAIL")


def test_nothing_is_asked_of_the_internet(finder):
    assert [each.kind for each in finder.find("Write to ada@example.co.uk.")] == ["EMAIL"]


def test_without_its_model_the_remedy_is_named():
    pytest.importorskip("presidio_analyzer", reason="the extra `presidio` is not installed")
    with pytest.raises(Unusable, match="spacy download en_core_none"):
        Presidio.load("en_core_none")


def test_without_presidio_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(Unusable, match=r"install tidemark-platform\[presidio\] or unset TIDEMARK_GUARD_PRESIDIO"):
        Presidio.load("en_core_web_lg")
