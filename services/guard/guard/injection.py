"""Prompt injection and jailbreak attempts, in what a user wrote and in what was retrieved or returned by a tool."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from schemas.messages import Call, Score, Span
from services.guard.guard.injection_head import Head, pooled
from services.guard.guard.injection_readings import readings
from services.guard.guard.injection_suffix import SuffixModel
from services.guard.guard.injection_views import View
from services.guard.guard.injection_windows import Window, windows
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result
from services.shared.vectors import Encoder, Vectors

RULES = "5"  # changes when the same text would be read otherwise
THRESHOLD = 0.5  # at most 1 % of texts that are no attack reach it: weights/INJECTION_CARD.md
PROMPT = Metric("prompt_injection", unit="probability", worse="higher", maximum=1.0, threshold=THRESHOLD)
CONTEXT = Metric("context_injection", unit="probability", worse="higher", maximum=1.0, threshold=THRESHOLD)
EVIDENCE_FROM = 0.1
MOST_EVIDENCE = 5
# The worst of many documents is worse than one: odds are divided by their number to this power. With 0 about 9 % of
# calls with five clean documents were flagged and 15 % of ten, with 0.75 it is 5 and 7 %.
OF_MANY = 0.75
MOST_WINDOWS = 16  # of one reading go through the encoder; half by place, half by wording
TOOL_ROLES = frozenset({"tool", "function"})


@dataclass(frozen=True)
class Judge:
    """A head, and how what it says of windows becomes the calibrated log-odds of a text."""

    head: Head
    pooling: tuple[float, float, float, float]  # weights of worst window, worst three and mean; intercept
    ideas: tuple[float, float]  # intercepts of the worst window's ideas, of English and of the rest
    disguised: float  # added where the reading had to be uncovered
    searched: float = 0.0  # added to what the suffix model says: such strings are rarer in documents than in prompts


@dataclass(frozen=True)
class InjectionModel:
    """What was trained: one judge of what users write, one of what documents hold, and the suffix model of both."""

    prompt: Judge
    context: Judge
    suffix: SuffixModel
    version: str


class Given(NamedTuple):
    """A text of a call, and its field."""

    field: str
    text: str


class Reading(NamedTuple):
    """One reading of a text, and the windows of it that are judged."""

    view: View
    windows: Sequence[Window]


Encoded = Mapping[str, Vectors]  # a window's text to its vector


class Suspicion(NamedTuple):
    """Log-odds, and what they rest on."""

    log_odds: float
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class InjectionScorer:
    """The probability that a text tries to take the model over, and where it does.

    `prompt_injection` judges `Call.question`; `context_injection` the worst of documents, tool results and tool turns.
    Spans are characters of the field as given, `context[2]`, `tool_calls[0].result` or `messages[3].content`, whatever
    was decoded on the way; their kinds are `instruction`, `disguised_<how>` and `adversarial_suffix`.
    """

    encoder: Encoder
    model: InjectionModel
    evaluator: str = "injection"
    metrics: tuple[Metric, ...] = (PROMPT, CONTEXT)

    @property
    def version(self) -> str:
        """Rules, and the encoder's and the heads' weights."""
        return f"{RULES}-{self.encoder.version}+{self.model.version}"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`; the windows of all of them go through the encoder together."""
        evaluator = Evaluator(self.evaluator, self.version)
        given = [(call, metric, texts_of(call, metric)) for call in calls for metric in self.metrics]
        read = [[self._readings(each.text, self._judge(metric)) for each in texts] for _, metric, texts in given]
        encoded = self._encoded(read)
        for (call, metric, texts), per_text in zip(given, read, strict=True):
            result = self._worst(metric, texts, per_text, encoded) if texts else Missing(metric.name.partition("_")[0])
            yield evaluator.score(call, metric, result)

    def _judge(self, metric: Metric) -> Judge:
        return self.model.prompt if metric is PROMPT else self.model.context

    def _readings(self, text: str, judge: Judge) -> list[Reading]:
        return [
            Reading(view, chosen(windows(view.text), judge.head)) for view in readings(text, self.model.suffix.surprise)
        ]

    def _encoded(self, read: Iterable[Iterable[Iterable[Reading]]]) -> Encoded:
        """Every window at once, so that batches are full."""
        texts = sorted(
            {each.text for of_call in read for of_text in of_call for one in of_text for each in one.windows}
        )
        return dict(zip(texts, self.encoder.encode(texts), strict=True))

    def _worst(
        self, metric: Metric, texts: Sequence[Given], read: Sequence[Sequence[Reading]], encoded: Encoded
    ) -> Result:
        judge, less = self._judge(metric), OF_MANY * np.log(len(texts))
        found = [
            (suspicion._replace(log_odds=suspicion.log_odds - less), each.field)
            for each, of_text in zip(texts, read, strict=True)
            for suspicion in self._suspicions(each.text, of_text, judge, encoded)
        ]
        ordered = sorted(found, key=lambda pair: -pair[0].log_odds)
        value = probability(ordered[0][0].log_odds) if ordered else 0.0
        return Measured(value, tuple(_evidence(ordered)))

    def _suspicions(self, text: str, read: Sequence[Reading], judge: Judge, encoded: Encoded) -> Iterator[Suspicion]:
        for view, judged in read:
            if judged:
                yield judged_reading(view, judged, judge, np.stack([encoded[each.text] for each in judged]))
        log_odds, start, end = self.model.suffix.worst(text)
        if np.isfinite(log_odds):
            yield Suspicion(log_odds + judge.searched, start, end, "adversarial_suffix")


def texts_of(call: Call, metric: Metric) -> list[Given]:
    """The texts that `metric` judges, with their fields."""
    if metric is PROMPT:
        return [] if call.question is None else [Given("prompt", call.question)]
    calls = [("tool_calls", call.tool_calls)]
    calls += [(f"choices[{number}].tool_calls", choice.tool_calls) for number, choice in enumerate(call.choices)]
    return [
        *(Given(f"context[{number}]", document.text) for number, document in enumerate(call.context)),
        *(
            Given(f"{field}[{number}].result", tool.result)
            for field, tools in calls
            for number, tool in enumerate(tools)
            if tool.result is not None
        ),
        *(
            Given(f"messages[{number}].content", turn.content)
            for number, turn in enumerate(call.messages)
            if turn.role in TOOL_ROLES
        ),
    ]


def chosen(found: Sequence[Window], head: Head) -> Sequence[Window]:
    """At most 16 windows, in order: the first four, the last four and those whose wording is most suspicious."""
    if len(found) <= MOST_WINDOWS:
        return found
    quarter = MOST_WINDOWS // 4
    kept = {*range(quarter), *range(len(found) - quarter, len(found))}
    by_wording = np.argsort(-head.screen(found), kind="stable")
    kept.update([int(at) for at in by_wording if int(at) not in kept][: MOST_WINDOWS - len(kept)])
    return [found[at] for at in sorted(kept)]


def judged_reading(view: View, judged: Sequence[Window], judge: Judge, vectors: Vectors) -> Suspicion:
    """What one reading of a text is suspected of, and its worst window."""
    logits = judge.head.logits(judged, vectors)
    worst, third, mean, intercept = judge.pooling
    together = float(pooled(logits[:, 0]) @ np.array([worst, third, mean], np.float32)) + intercept
    by_ideas = logits[:, 1:] + np.array(judge.ideas, np.float32)
    ideas = float(by_ideas.max())
    window = judged[int((by_ideas.max(axis=1) if ideas > together else logits[:, 0]).argmax())]
    start, end = view.span(window.start, window.end)
    kind = "instruction" if view.disguise == "none" else f"disguised_{view.disguise}"
    bonus = 0.0 if view.disguise == "none" else judge.disguised
    return Suspicion(max(together, ideas) + bonus, start, end, kind)


def probability(log_odds: float) -> float:
    """Log-odds as a probability.

    >>> probability(0.0)
    0.5
    """
    return float(1 / (1 + np.exp(-np.clip(log_odds, -60, 60))))


def _evidence(ordered: Sequence[tuple[Suspicion, str]]) -> Iterator[Span]:
    for suspicion, field in ordered[:MOST_EVIDENCE]:
        value = probability(suspicion.log_odds)
        if value >= EVIDENCE_FROM:
            yield Span(
                field=field, start=suspicion.start, end=suspicion.end, kind=suspicion.kind, value=round(value, 4)
            )
