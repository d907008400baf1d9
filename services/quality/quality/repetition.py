"""How much of a response says again what it has said: degenerate loops."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.messages import Call, Span
from services.quality.quality.ngrams import Codes, Hashes, codes, hashes, hashes_of
from services.quality.quality.readings import claims, fenced
from services.shared.scoring import Measured, Metric, Missing, Result

REPETITION = Metric("repetition", unit="share", worse="higher", maximum=1.0, threshold=0.5)
PROBE = 12  # characters: shorter ones come again in any language
SHORTEST_LOOP, FEWEST_TURNS = 24, 3
NEAR, NEARBY = 16, 256  # characters, and how many characters back: loops that count or change a word in each turn
PASSAGE = 60  # characters that nobody says twice word for word
GAP = PROBE + 8
MOST_PERIODS = 8  # of exact loops, the commonest
_ROW = re.compile(r"^[ \t]*(?:\||</?[A-Za-z]).*$", re.MULTILINE)  # of a table, of markup
MOST_SPANS, EVIDENCE_FROM = 3, 0.1
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Loop(NamedTuple):
    """Characters that come again after `period` characters, `turns` times in all."""

    start: int
    end: int
    period: int

    @property
    def turns(self) -> float:
        """How often the unit stands there."""
        return (self.end - self.start) / self.period


def repetition(call: Call) -> Result:
    """The share of the response that repeats: turns of a loop after its first, and passages said before.

    A loop is a unit that stands three times or more in succession; a passage is 60 characters word for word at any
    distance, or 16 within the last 256. Records and lines of code are alike by nature: in fenced code, in rows of
    tables and markup, and where all of the response is JSON, XML or Python, only three turns or more that are the same
    to the letter count. Runs of white space count as one. 0.5 means that half of the text is repeats.
    Sorts hashes: n log n. The evidence is the longest loops (`value`: turns), else the longest passages.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    kept = _kept(codes(text))
    characters = codes(text)[kept]
    if len(characters) < SHORTEST_LOOP:
        return Measured(0.0)
    back = _distances(hashes(characters, PROBE))
    if not back.any():  # then nothing longer comes again, either
        return Measured(0.0)
    loops, size = list(_loops(back)), len(characters)
    near, passage = hashes_of(characters, (NEAR, PASSAGE))
    repeated = _said(passage, PASSAGE, size, size) | _said(near, NEAR, NEARBY, size)
    for loop in loops:
        repeated[loop.start + loop.period : loop.end] = True
    structured = _structured(text)[kept]
    if structured.any():
        repeated = np.where(structured, _turns(characters, back), repeated)
        loops = [loop for loop in loops if repeated[loop.start + loop.period : loop.end].mean() >= 0.5]
    value = float(repeated.mean())
    return Measured(value, tuple(_evidence(loops, repeated, kept)) if value >= EVIDENCE_FROM else ())


def _kept(characters: Codes) -> Positions:
    """Where characters stand that are not white space after white space."""
    blank = (characters <= 32) | (characters == 160) | (characters == 0x3000)
    return np.flatnonzero(~(blank & np.concatenate(([False], blank[:-1]))))


def _distances(found: Hashes) -> Positions:
    """How far back each n-gram, as its hash, stood before; 0 for what is new."""
    order = np.argsort(found, kind="stable")
    back = np.zeros(len(found), np.int64)
    if len(found) > 1:
        again = np.flatnonzero(found[order[1:]] == found[order[:-1]])
        back[order[again + 1]] = order[again + 1] - order[again]
    return back


def _loops(back: Positions) -> Iterator[Loop]:
    """The loops by how far back each probe stood before; some did."""
    at = np.flatnonzero(back)
    period = back[at]
    # A new run begins where the period changes, or where too much lies between.
    begins = np.concatenate(([True], (np.diff(period) != 0) | (np.diff(at) > GAP)))
    first = np.flatnonzero(begins)
    last = np.concatenate((first[1:] - 1, [len(at) - 1]))
    starts, ends = at[first] - period[first], at[last] + PROBE
    long = (ends - starts >= FEWEST_TURNS * period[first]) & (ends - starts >= SHORTEST_LOOP)
    yield from map(Loop, starts[long].tolist(), ends[long].tolist(), period[first][long].tolist())


def _said(found: Hashes, size: int, within: int, characters: int) -> Flags:
    """Which of the characters belong to an n-gram of `size` that stood before, at most `within` characters back."""
    back = _distances(found)
    again = ((back > 0) & (back <= within)).astype(np.int64)
    edges = np.zeros(characters + 1, np.int64)
    edges[: len(again)] += again
    edges[size : size + len(again)] -= again
    inside: Flags = np.cumsum(edges[:-1]) > 0
    return inside


def _structured(text: str) -> Flags:
    """Which characters are in fenced code, in rows of tables and markup, or in a response that is all of one format."""
    found = np.zeros(len(text), np.bool_)
    for block in (*fenced(text), *claims(text)):
        found[block.start : block.end] = True
    for row in _ROW.finditer(text):
        found[row.start() : row.end() + 1] = True
    return found


def _turns(characters: Codes, back: Positions) -> Flags:
    """Which characters belong to a second or later turn of what stands there three times or more, to the letter."""
    found = np.zeros(len(characters), np.bool_)
    periods, often = np.unique(back[back > 0], return_counts=True)
    for period in periods[np.argsort(-often, kind="stable")[:MOST_PERIODS]].tolist():
        edges = np.diff(np.concatenate(([0], characters[period:] == characters[:-period], [0])).astype(np.int8))
        starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
        long = ends - starts >= max((FEWEST_TURNS - 1) * period, SHORTEST_LOOP - period)
        for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
            found[start + period : end + period] = True
    return found


def _evidence(loops: list[Loop], repeated: Flags, kept: Positions) -> Iterator[Span]:
    longest = sorted(loops, key=lambda loop: (loop.start - loop.end, loop.start))[:MOST_SPANS]
    for loop in longest:
        yield _span(kept, loop.start, loop.end, "loop", round(loop.turns, 1))
    if not longest:
        edges = np.diff(np.concatenate(([0], repeated.astype(np.int8), [0])))
        starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
        for at in np.argsort(starts - ends, kind="stable")[:MOST_SPANS]:
            yield _span(kept, int(starts[at]), int(ends[at]), "passage", None)


def _span(kept: Positions, start: int, end: int, kind: str, value: float | None) -> Span:
    return Span(field="response", start=int(kept[start]), end=int(kept[end - 1]) + 1, kind=kind, value=value)


MEASURES: Mapping[Metric, Callable[[Call], Result]] = {REPETITION: repetition}
