"""chrF of a response against its reference."""

from collections import Counter

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.corpus import CHRF_ORDER, corpus_chrf
from services.shared.scoring import Measured, Metric, Result

CHRF = Metric("chrf", unit="chrF2", worse="lower", maximum=100.0)


def chrf(call: Call) -> Result:
    """Sentence chrF2 in [0, 100], as sacrebleu's `sentence_chrf` gives it, with the statistics that add.

    Character n-grams up to 6 without white space, so it needs no words; recall counts twice as much as precision.
    """
    return compared(call, _compare)


def version() -> str:
    """Signature of the settings, as sacrebleu writes them, which gives the same values."""
    return "chrf:#:1|c:mixed|e:yes|nc:6|nw:0|s:no"


def _compare(response: str, reference: str) -> Result:
    response, reference = "".join(response.split()), "".join(reference.split())
    statistics: dict[str, float] = {}
    for n in range(1, CHRF_ORDER + 1):  # one order after another: all at once are gigabytes of a long text
        theirs, wanted = _grams(response, n), _grams(reference, n)
        statistics |= {
            f"hypothesis_{n}": float(theirs.total()) if wanted else 0.0,
            f"reference_{n}": float(wanted.total()),
            f"matches_{n}": float(_matches(theirs, wanted)),
        }
    return Measured(min(corpus_chrf(statistics), 100.0), statistics=statistics)


def _grams(text: str, n: int) -> "Counter[str]":
    return Counter(text[start : start + n] for start in range(len(text) - n + 1))


def _matches(theirs: "Counter[str]", wanted: "Counter[str]") -> int:
    few, many = (theirs, wanted) if len(theirs) < len(wanted) else (wanted, theirs)
    return sum(min(count, many[gram]) for gram, count in few.items())
