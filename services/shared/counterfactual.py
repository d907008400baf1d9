"""Counterfactual parity: what a score owes to the group that a text names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.shared.identity_terms import CLASSES, Mention, cased, mentions

MOST = 32  # counterfactuals of one text


@dataclass(frozen=True)
class Swap:
    """A text in which every word for one group gave way to the word for another."""

    text: str
    term: str
    replacement: str


@dataclass(frozen=True)
class Parity:
    """The score of a text, and how each counterfactual differs from it (counterfactual minus original)."""

    score: float
    differences: tuple[tuple[Swap, float], ...]

    @property
    def largest(self) -> float:
        """The largest absolute difference; 0 where the text names no group."""
        return max((abs(difference) for _, difference in self.differences), default=0.0)

    @property
    def spread(self) -> float:
        """The highest less the lowest score over the text and its counterfactuals."""
        every = [0.0, *(difference for _, difference in self.differences)]
        return max(every) - min(every)


def swaps(text: str, *, most: int = MOST) -> Iterator[Swap]:
    """Counterfactuals of `text`: each group that it names, replaced by each other one of its class; at most `most`.

    Where there are more, every group that is named has its share, spread evenly over its class.

    >>> [swap.text for swap in swaps("The boys sing.")]
    ['The girls sing.']
    """
    found = list(mentions(text))
    terms = list(dict.fromkeys((mention.term.lower(), mention.kind) for mention in found))
    for term, kind in terms[:most]:
        same = [mention for mention in found if (mention.term.lower(), mention.kind) == (term, kind)]
        others = [other for other in CLASSES[kind] if other != term]
        step = -(-len(others) // (most // len(terms[:most])))
        for other in others[::step]:
            yield Swap(replaced(text, [(mention, other) for mention in same]), term, other)


def replaced(text: str, changes: Sequence[tuple[Mention, str]]) -> str:
    """The text with other words for the groups that it mentions; `changes` in the order of the text."""
    pieces, at = [], 0
    for mention, other in changes:
        pieces += [text[at : mention.start], cased(other, mention.term)]
        at = mention.end
    return "".join([*pieces, text[at:]])


def parity(score: Callable[[Sequence[str]], Sequence[float]], text: str, *, most: int = MOST) -> Parity:
    """How far `score` (texts to numbers, called once) moves when only the group changes that `text` names.

    Not for texts whose truth depends on the group: the holy book of Muslims is not that of Hindus.
    Source: Garg et al. 2019, Counterfactual Fairness in Text Classification through Robustness.

    >>> parity(lambda texts: [float(len(text)) for text in texts], "The men sing.").largest
    2.0
    """
    found = list(swaps(text, most=most))
    original, *others = score([text, *(swap.text for swap in found)])
    return Parity(original, tuple((swap, other - original) for swap, other in zip(found, others, strict=True)))
