"""Presidio itself where it is installed, and what is said where it is not."""

import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.guard.guard import pii
from services.guard.guard.found import Found
from services.guard.presidio import ENTITIES, PIECE, Presidio
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
    assert prompt.evaluator_version.startswith(f"{pii.RULES}-presidio.2.")


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
    with pytest.raises(Unusable, match=r"install -e '\.\[presidio\]'` in the checkout, or unset TIDEMARK_GUARD_"):
        Presidio.load("en_core_web_lg")


def settled(*results):
    """What is made of Presidio's results: (entity, start, end, score)."""
    names = ("entity_type", "start", "end", "score")
    given_ = [SimpleNamespace(**dict(zip(names, each, strict=True))) for each in results]
    analyzer = SimpleNamespace(get_supported_entities=lambda _: list(ENTITIES), analyze=lambda *_, **__: given_)
    return Presidio(analyzer, "none").find("My phone number is 2124567890, or 2124567891")


def test_a_sure_kind_is_kept_before_a_weak_one_over_the_same_characters():
    weak = [("US_DRIVER_LICENSE", 19, 29, 0.01), ("US_PASSPORT", 20, 29, 0.05)]
    assert settled(*weak, ("PHONE_NUMBER", 19, 29, 0.75)) == [Found(19, 29, "PHONE", 0.75)]
    assert settled(*weak) == [Found(20, 29, "NATIONAL_ID", 0.05)]


def test_of_equally_sure_kinds_the_first_wins_then_the_longer():
    assert settled(("PHONE_NUMBER", 19, 29, 0.5), ("US_SSN", 20, 29, 0.5)) == [Found(20, 29, "SSN", 0.5)]
    assert settled(("US_SSN", 19, 28, 0.5), ("US_SSN", 19, 29, 0.5)) == [Found(19, 29, "SSN", 0.5)]


def test_what_overlaps_only_what_is_dropped_is_kept():
    found = settled(("US_SSN", 34, 44, 0.3), ("US_PASSPORT", 25, 36, 0.5), ("PHONE_NUMBER", 19, 29, 0.75))
    assert found == [Found(19, 29, "PHONE", 0.75), Found(34, 44, "SSN", 0.3)]


RESULTS = st.tuples(st.sampled_from(sorted(ENTITIES)), st.integers(0, 30), st.integers(1, 9), st.integers(0, 4))


@given(st.lists(RESULTS, max_size=20))
def test_settled_results_are_sorted_and_disjoint_and_the_surest_is_among_them(drawn):
    kept = settled(*((kind, start, start + length, score / 4) for kind, start, length, score in drawn))
    assert all(one.end <= other.start for one, other in pairwise(kept))
    assert max((each.confidence for each in kept), default=None) == max((each[3] / 4 for each in drawn), default=None)
