"""How much of the system prompt a response repeats."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from schemas.messages import Call
from services.guard.guard.found import Found
from services.guard.guard.reading import Hashes, Reading, reading

Flags = npt.NDArray[np.bool_]

RUN = 5  # words in a row that count as taken over: shorter ones are everybody's
APART = 2  # changed words between two runs that are still one passage
HALF = 10.0  # repeated words at which the risk is one half: no idiom is as long
REMEMBERED = 65_536  # characters of a system prompt that is kept with its runs: 64 of them take 50 MB at most
KIND = "system_prompt"


def system_prompt(call: Call) -> str | None:
    """The system prompt, or the turns of `messages` that set one."""
    if call.system_prompt is not None:
        return call.system_prompt
    turns = [turn.content for turn in call.messages if turn.role in ("system", "developer")]
    return "\n".join(turns) if turns else None


def repeated(answer: Reading, prompt: str, elsewhere: list[str]) -> list[Found]:
    """Passages of the answer that stand in the system prompt, and not `elsewhere`: in the question or the documents.

    Case, punctuation and blanks are not looked at; one or two changed words do not end a passage. The confidence is
    the passage's `risk`. Linear in the texts.
    """
    runs = answer.runs(RUN)
    taken = np.isin(runs, (_known_runs if len(prompt) <= REMEMBERED else _runs)(prompt))
    for text in elsewhere if taken.any() else ():
        taken &= ~np.isin(runs, _runs(text))
    return [
        Found(int(answer.starts[first]), int(answer.ends[last - 1]), KIND, risk(words, HALF))
        for first, last, words in passages(answer, covered(taken, RUN), apart=APART)
    ]


def risk(words: float, half: float) -> float:
    """Of so many repeated words, where `half` of them are a risk of one half.

    >>> risk(10.0, half=10.0)
    0.5
    """
    return float(1 - 2 ** (-words / half))


def covered(taken: Flags, size: int) -> Flags:
    """Which words lie in a run that was taken (words), of which runs were (runs)."""
    edges = np.zeros(len(taken) + size + 1 if len(taken) else 1, np.int64)
    places = np.flatnonzero(taken)
    np.add.at(edges, places, 1)
    np.add.at(edges, places + size, -1)
    result: Flags = np.cumsum(edges)[: len(taken) + size - 1 if len(taken) else 0] > 0
    return result


def passages(answer: Reading, words: Flags, *, apart: int) -> list[tuple[int, int, float]]:
    """First word, word after the last, and covered words of each passage; `apart` words may lie between."""
    places = np.flatnonzero(words)
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > apart + 1) + 1
    return [(int(part[0]), int(part[-1]) + 1, float(answer.weights[part].sum())) for part in np.split(places, cuts)]


def _runs(text: str) -> Hashes:
    """In order, each once."""
    return np.unique(reading(text).runs(RUN))


_known_runs = lru_cache(64)(_runs)  # system prompts repeat from call to call, and only they do
