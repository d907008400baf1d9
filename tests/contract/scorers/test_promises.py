"""The promises that scores keep in every field of a call, and what is said of every metric."""

import re
from math import inf, nextafter

import msgspec
import pytest

from schemas.messages import CallError, ChatMessage, Choice, Document, ExpectedFormat, Tokens, ToolCall
from services.embedded import metrics_reference
from services.embedded.scorers import SCORERS as OFFERS
from services.shared.line_scoring import BadLine, parsed
from services.shared.scoring import Evaluator, Measured, Remembers
from tests.support.models import SCORERS, shared_scorer

from .test_scorers import AT, LANGUAGES, PLANES, WITHOUT_A_MODEL, a_call, check

ON_DEMAND = {"judge"}  # needs an endpoint: nothing is offered where none is named
METRICS = [pytest.param(offer, metric, id=metric.name) for offer in OFFERS for metric in offer.metrics]
TEXTS = {
    "prompt": lambda text: text,
    "response": lambda text: text,
    "system_prompt": lambda text: text,
    "reference": lambda text: text,
    "context": lambda text: (Document(text=text), Document(text="Another one.")),
    "messages": lambda text: (ChatMessage(role="system", content=text), ChatMessage(role="user", content=text)),
    "choices": lambda text: (Choice(text=text), Choice(text=f"{text} Or not.", log_probabilities=(-0.5, -1.0))),
    "tool_calls": lambda text: (ToolCall(name="f", arguments=text, result=text),),
    "expected_format": lambda text: ExpectedFormat(kind="choice", definition=[text, "x"]),
    "error": lambda text: CallError(kind=text[:200] or "x", message=text),
    "user_id": lambda text: text,
    "groups": lambda text: {"group": text},
    "attributes": lambda text: {"name": text},
}
NUMBERS = {
    "tokens": Tokens(input=10, output=20, cached=5, reasoning=3),
    "duration_seconds": 2.0,
    "queue_seconds": 0.1,
    "time_to_first_token_seconds": 0.5,
    "inter_token_seconds": (0.1, 0.2),
    "cost_usd": 0.01,
    "log_probabilities": (-0.1, -2.0),
}


def a_whole_call(text, number=1, **fields):
    return a_call(number, **{name: made(text) for name, made in TEXTS.items()}, **{**NUMBERS, **fields})


@pytest.fixture(scope="module", params=SCORERS)
def scorer(request):
    return shared_scorer(request.param)


@pytest.mark.parametrize("field", TEXTS)
def test_a_megabyte_in_any_field(scorer, field):
    text = "It works, as they say. " * 45_000
    check(scorer, [_with(field, text)])


def _with(field, text):
    return msgspec.structs.replace(a_whole_call("Short."), **{field: TEXTS[field](text)})


def test_every_plane_in_every_field(scorer):
    check(scorer, [a_whole_call(text, number) for number, text in enumerate(PLANES, 1)])


def test_every_language_in_every_field(scorer):
    check(scorer, [a_whole_call(text, number) for number, text in enumerate(LANGUAGES, 1)])


@pytest.mark.parametrize("text", ["a \ud800 b", "\udfff", "\x00\x1b[31m", "\u202eabc\u202c", "e\u0301" * 50])
def test_what_is_no_proper_text_in_the_texts_that_are_scored(scorer, text):
    call = a_call(prompt=text, response=text, context=(Document(text=text),), reference=text, system_prompt=text)
    found = list(scorer.score([call]))
    assert [score.metric for score in found] == [metric.name for metric in scorer.metrics]


def test_every_field_may_be_null(scorer):
    """A call without one of its fields is scored as one that never had it."""
    fields = [*TEXTS, *NUMBERS]
    lines = [parsed(n, msgspec.json.encode(_said(skip, field)), AT) for n, (field, skip) in enumerate(_each(fields), 1)]
    assert not [line for line in lines if isinstance(line, BadLine)]
    null, absent = lines[: len(fields)], lines[len(fields) :]
    first = check(scorer, [line.call for line in null])
    if isinstance(scorer, Remembers):
        scorer.forget()  # the second half asks the same again
    second = check(scorer, [line.call for line in absent])
    said = [[(each.metric, each.status, each.reason) for each in found] for found in (first, second)]
    assert said[0] == said[1]


def _each(fields):
    return [(field, skip) for skip in (False, True) for field in fields]


def _said(skip, field):
    whole = {name: msgspec.to_builtins(made("Why not?")) for name, made in TEXTS.items()}
    whole |= {name: msgspec.to_builtins(value) for name, value in NUMBERS.items()}
    whole[field] = None
    if skip:
        del whole[field]
    return whole


def test_a_scorer_with_a_model_names_the_weights_in_its_version(scorer):
    assert scorer.evaluator in WITHOUT_A_MODEL or re.search(r"[0-9a-f]{8,}", scorer.version)


@pytest.mark.parametrize(("offer", "metric"), METRICS)
def test_a_label_is_true_exactly_from_the_threshold_on(offer, metric):
    evaluator, call = Evaluator(offer.service, "1"), a_call()
    if metric.threshold is None:
        assert evaluator.score(call, metric, Measured(metric.minimum)).label is None
        return
    at, below = metric.threshold, nextafter(metric.threshold, -inf)
    above = min(nextafter(metric.threshold, inf), metric.maximum)
    assert [evaluator.score(call, metric, Measured(value)).label for value in (at, below, above)] == [True, False, True]


@pytest.mark.parametrize(("offer", "metric"), METRICS)
def test_a_value_outside_the_range_is_a_failure(offer, metric):
    for value in (nextafter(metric.minimum, -inf), nextafter(metric.maximum, inf), float("nan")):
        assert Evaluator(offer.service, "1").score(a_call(), metric, Measured(value)).status == "failed"


def test_a_scorer_gives_what_it_offers(scorer):
    if scorer.evaluator in ON_DEMAND:
        return
    (offer,) = [offer for offer in OFFERS if offer.service == scorer.evaluator]
    assert [metric.name for metric in scorer.metrics] == offer.names


def test_every_scorer_is_offered_and_tested():
    assert {offer.service for offer in OFFERS} == set(SCORERS) - ON_DEMAND


def test_names_of_metrics_are_unique_and_well_formed():
    names = [metric.name for offer in OFFERS for metric in offer.metrics]
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)?", name)] == []


@pytest.mark.parametrize(("offer", "metric"), METRICS)
def test_a_metric_is_in_the_reference(offer, metric):
    (row,) = re.findall(rf"^\| `{re.escape(metric.name)}` \|.*$", metrics_reference.REFERENCE.read_text(), re.MULTILINE)
    assert f"| {metric.unit} |" in row


def test_the_reference_is_what_is_generated():
    for name in SCORERS:
        shared_scorer(name)  # skips where set-up has not converted the model
    assert metrics_reference.REFERENCE.read_text() == metrics_reference.reference(shared_scorer)
