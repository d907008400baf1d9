"""What people said of a call, as a number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from schemas.messages import Call, Feedback
from services.shared.scoring import Invalid, Measured, Metric, Missing, Result

FEEDBACK = Metric("feedback", unit="1", worse="lower", maximum=1.0, threshold=0.5)
CHARACTERS, WORDS = 10_000, 20_000  # comparing takes time in the product of both lengths
OF_TEXT = frozenset({"reference", "edit"})  # kinds that are held against the response
LIMITS = {"thumbs": (-1.0, 1.0), "stars": (1.0, 5.0), "acceptance": (0.0, 1.0)}


class Opinion(NamedTuple):
    """A result, and when what it rests on was said."""

    result: Result
    given_at: datetime


@dataclass(frozen=True)
class Opinions:
    """All that is at hand of what was said of one call; order and repeats do not matter."""

    given: Sequence[Feedback]

    @property
    def of_text(self) -> Sequence[Feedback]:
        """What needs the response to be judged."""
        return [each for each in self.given if each.kind in OF_TEXT]

    @property
    def reference(self) -> Feedback | None:
        """The newest reference."""
        return _newest(each for each in self.given if each.kind == "reference" and each.text is not None)

    def judged(self, call: Call) -> Opinion | None:
        """The newest opinion that says how good the response is.

        None where none does: comments, references, and what cannot be read, which must not hide what was said before.
        """
        told = {each: opinion(each, call) for each in self.given if each.kind in LIMITS or each.kind == "edit"}
        newest = _newest(each for each, result in told.items() if isinstance(result, Measured))
        return None if newest is None else Opinion(told[newest], newest.given_at)


def opinion(given: Feedback, call: Call) -> Result:
    """How good the response is, in [0, 1], 1 the best: labelled at 0.5 or above, that is where people were content.

    Thumbs -1 is 0 and 1 is 1; stars 1 to 5 are 0 to 1 in quarters; acceptance is its value; an edit is the share of
    the response that it kept.
    """
    if given.kind == "edit":
        return _kept(given, call)
    if given.value is None:
        return Missing("value")
    low, high = LIMITS[given.kind]
    if not low <= given.value <= high:
        return Invalid(f"value is out of range for {given.kind}: {given.value:g}")
    return Measured((given.value - low) / (high - low))


def kept_share(response: str, edited: str) -> float:
    """1 - edit distance / length of the longer: of characters, of words where a text has more than 10,000 of those.

    Of more than 20,000 words the first 20,000 count.

    >>> kept_share("abcd", "abxd")
    0.75
    """
    if max(len(response), len(edited)) <= CHARACTERS:
        return float(Levenshtein.normalized_similarity(response, edited))
    return float(Levenshtein.normalized_similarity(response.split()[:WORDS], edited.split()[:WORDS]))


def _kept(given: Feedback, call: Call) -> Result:
    if given.text is None or call.answer is None:
        return Missing("text" if given.text is None else "response")
    return Measured(kept_share(call.answer, given.text))


def _newest(given: Iterable[Feedback]) -> Feedback | None:
    return max(given, key=lambda each: (each.given_at, each.feedback_id), default=None)
