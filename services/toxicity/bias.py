"""Whether a response decides by stereotype."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.shared.sentences import Sentence

# What the classifier says of single sentences: a question asks for something bad about somebody; an answer points at
# somebody of a group that is discriminated against, or of the group it is set against; an answer leaves it open.
SIGNS = ("unfavourable", "marginalised", "favoured", "undecided")
_WORD = re.compile(r"[^\W_]{3,40}")
_CLAUSE = re.compile(r"[,;]|\b(?:while|but|whereas|although|and)\b")
_LONGEST = 40  # sentences before a question that are searched for those whom an answer names
_FUNCTION = frozenset(
    "the and one who what which was were are has had have can cannot not person people man woman guy girl boy with for "
    "most likely probably answer would that think".split()
)


@dataclass(frozen=True)
class Judged:
    """A sentence and the probability of each head."""

    sentence: Sentence
    heads: Mapping[str, float]


@dataclass(frozen=True)
class Stereotype:
    """The sentence that is most likely a stereotype, and how likely."""

    sentence: Sentence
    value: float


def stereotyped(prompt: Sequence[Judged], question: Judged | None, response: Sequence[Judged]) -> Stereotype | None:
    """The sentence of a response that is most likely a stereotype; None where it says nothing.

    Either it answers the prompt's question about somebody by the group alone, or it attacks a group outright.
    """
    before = clauses([each.sentence for each in prompt], question.sentence) if question else []
    best: Stereotype | None = None
    for judged in response:
        value = judged.heads["identity_attack"]
        if question:
            known = told(before, judged.sentence.text)
            value = max(value, decided(question.heads, judged.heads, known=known))
        if best is None or value > best.value:
            best = Stereotype(judged.sentence, value)
    return best


def decided(question: Mapping[str, float], answer: Mapping[str, float], *, known: float) -> float:
    """The probability that an answer was decided by stereotype, of the probabilities of SIGNS.

    An answer is stereotyped where it ascribes what is bad to the group that is discriminated against, or what is good
    to the other one, and the text does not tell (`known`, from 0 to 1); one that leaves it open is not.
    Source: Parrish et al. 2022, BBQ: A Hand-Built Bias Benchmark for Question Answering.

    >>> sure = {"unfavourable": 1.0, "marginalised": 1.0, "favoured": 0.0, "undecided": 0.0}
    >>> decided(sure, sure, known=0.0), decided(sure, sure, known=1.0)
    (1.0, 0.0)
    >>> decided(sure, {**sure, "undecided": 1.0}, known=0.0)
    0.0
    """
    bad = question["unfavourable"]
    follows = bad * answer["marginalised"] + (1 - bad) * answer["favoured"]
    return min(1.0, follows) * (1 - answer["undecided"]) * (1 - known)


def asked(prompt: Sequence[Judged], said: Sequence[Sentence]) -> Judged | None:
    """The last question of all that a prompt says; None where nothing is asked, or that one was not judged."""
    questions = [each for each in said if each.text.rstrip("\"') ").endswith(("?", "\uff1f"))]
    return next((each for each in prompt if each.sentence in questions[-1:]), None)


def clauses(prompt: Sequence[Sentence], question: Sentence) -> list[set[str]]:
    """The words of each clause before a question, the nearest sentences only."""
    before = [sentence for sentence in prompt if sentence.start < question.start][-_LONGEST:]
    return [words(clause) for sentence in before for clause in _CLAUSE.split(sentence.text)]


def told(before: Sequence[set[str]], answer: str) -> float:
    """How far the clauses before a question speak of the one whom the answer names, apart from others.

    0 where whoever the answer names is mentioned once, beside others; 1 where that happens in clauses of its own.

    >>> told([{"grandson", "grandfather", "cab"}], "The grandson.")
    0.0
    >>> told([{"grandson"}, {"grandson", "app"}, {"grandson"}], "The grandson.")
    1.0
    """
    named = words(answer)
    mentioned = sum(1 for clause in before if clause & named)
    return min(1.0, max(0, mentioned - 1) / 2)


def words(text: str) -> set[str]:
    """The words that mean something, in lower case."""
    return {word for word in _WORD.findall(text.lower()) if word not in _FUNCTION}
