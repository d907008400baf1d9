"""Where a claim says what a passage says, but for a word."""

from collections.abc import Iterator, Sequence, Set
from itertools import groupby, islice
from typing import NamedTuple

from rapidfuzz.distance import LCSseq, Levenshtein

from services.hallucination.words import NEGATION, STOP_WORDS, WORD, Kind, kind_of, stem

MOST_TOKENS = 160  # of a claim or a passage
LONGEST_CHANGE = 5  # tokens: a longer one is another statement, not another word
REACH = 3  # tokens on each side that hold a change in its place
LEAST_HELD, FULLY_HELD = 0.4, 0.7  # share of the claim that the passage says in the same order
PLAIN_WORD = 0.2  # what another word weighs, beside another name or number: it may be a synonym


class Token(NamedTuple):
    """A word of a text, stop words included."""

    start: int
    end: int
    stem: str
    kind: Kind
    is_content: bool
    denies: bool


class Twist(NamedTuple):
    """Characters of a claim that stand where its passage says something else, and how firmly they are held there."""

    start: int
    end: int
    weight: float  # 0 to 1


class _Change(NamedTuple):
    """What a passage says, what the claim says in its place, and how many tokens on both sides agree."""

    said: Sequence[Token]
    claimed: Sequence[Token]
    place: Token  # the first that is claimed, or where nothing is, the one that follows or ends the claim
    held: float  # 0 to 1
    opens: bool  # at the beginning of both


def tokens(text: str) -> list[Token]:
    """The words and numbers of `text`, the first 160."""
    return [
        Token(match.start(), match.end(), stem(word), kind_of(text, match), word not in STOP_WORDS, _denies(word))
        for match in islice(WORD.finditer(text), MOST_TOKENS)
        if (word := match[0].lower())
    ]


def _denies(word: str) -> bool:
    return bool(NEGATION.fullmatch(word) or word.endswith(("n't", "n’t")))


def twists(claim: str, passages: Sequence[str]) -> list[Twist]:
    """Where `claim` departs from the passage that it follows most closely, in names, numbers, words and denials.

    A paraphrase departs everywhere and is held nowhere, so it has next to none.
    """
    claimed = tokens(claim)
    if not claimed or not passages:
        return []
    words = [token.stem for token in claimed]
    candidates = [tokens(passage) for passage in passages]
    said = max(candidates, key=lambda each: LCSseq.similarity([token.stem for token in each], words))
    agreed = LCSseq.similarity([token.stem for token in said], words) / len(claimed)
    closeness = min(1.0, max(0.0, (agreed - LEAST_HELD) / (FULLY_HELD - LEAST_HELD)))
    if not closeness:
        return []
    names = {token.stem for token in (*said, *claimed) if token.kind == "name"}
    found = [_twist(change, names) for change in _changes(said, claimed)]
    return [Twist(each.start, each.end, each.weight * closeness) for each in found if each]


def _changes(said: Sequence[Token], claimed: Sequence[Token]) -> Iterator[_Change]:
    """Every short run of tokens that differ, between runs that agree."""
    steps = Levenshtein.opcodes([token.stem for token in said], [token.stem for token in claimed])
    runs = [list(run) for _, run in groupby(steps, key=lambda step: step.tag == "equal")]
    for at, run in enumerate(runs):
        first, last = run[0], run[-1]
        old, new = said[first.src_start : last.src_end], claimed[first.dest_start : last.dest_end]
        # What the passage says before the claim begins, or after it ends, is no change.
        if at == 0:
            old = old[-len(new) - 1 :]
        elif at == len(runs) - 1:
            old = old[: len(new) + 1]
        if first.tag != "equal" and max(len(old), len(new)) <= LONGEST_CHANGE:
            sides = [runs[near][-1].dest_end - runs[near][0].dest_start if 0 <= near < len(runs) else None
                     for near in (at - 1, at + 1)]  # fmt: skip
            place = claimed[min(first.dest_start, len(claimed) - 1)]
            yield _Change(old, new, place, _held(*sides), opens=at == 0)


def _held(before: int | None, after: int | None) -> float:
    """How firmly a change is held by what agrees before and after it; an end of the sentence holds a little, too."""
    return sum(REACH - 1 if side is None else min(side, REACH) for side in (before, after)) / (2 * REACH)


def _twist(change: _Change, names: Set[str]) -> Twist | None:
    """The change as a twist; None where nothing is said otherwise."""
    if sum(token.denies for token in (*change.said, *change.claimed)) % 2:
        answers = change.opens and not change.said  # "No, …" denies the question, not what follows
        return None if answers else Twist(change.place.start, change.place.end, change.held)
    old, new = _only(change.said, change.claimed), _only(change.claimed, change.said)
    if not old or not new:
        return None
    alike = _kinds(old, names) & _kinds(new, names) & {"name", "number"}
    return Twist(new[0].start, new[-1].end, change.held * (1.0 if alike else PLAIN_WORD))


def _only(own: Sequence[Token], other: Sequence[Token]) -> list[Token]:
    """The content words of one side alone."""
    known = {token.stem for token in other}
    return [token for token in own if token.is_content and token.stem not in known]


def _kinds(found: Sequence[Token], names: Set[str]) -> set[Kind]:
    """A capital at the beginning of a sentence makes a name where the word is one elsewhere."""
    return {"name" if token.stem in names else token.kind for token in found}
