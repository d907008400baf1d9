"""Ways to say what a context does not, each with the characters that are wrong."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-Z][\w'’-]+(?: (?:of |the |de |van |von )?[A-Z][\w'’-]+){0,3}")
NUMBER = re.compile(r"\b\d+(?:[.,:]\d+)*\b")
LONG_WORD = re.compile(r"\b[a-z]{5,}\b")
AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|does|did|do|should|must)\b(?! not|n['’]t)"
)
DENIED = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|does|did|do|should|must)(?: not\b|n['’]t\b)")
TAIL = re.compile(
    r",? (?:which|who|where|including|because|after|before|while|in|by|for|from|at|during|since|with|to) [^.;?!]{8,70}$"
)
GROUPS = (
    "january february march april may june july august september october november december",
    "monday tuesday wednesday thursday friday saturday sunday",
    "one two three four five six seven eight nine ten twelve twenty thirty fifty hundred thousand million billion",
    "first second third fourth fifth last", "north south east west northern southern eastern western",
    "red blue green black white yellow brown",
)  # fmt: skip
OPPOSITES = (
    "more less", "before after", "increase decrease", "increased decreased", "higher lower", "large small",
    "older younger", "largest smallest", "always never", "all some", "most few", "early late", "won lost",
    "accepted rejected", "best worst", "first last", "above below", "inside outside", "husband wife", "father mother",
    "son daughter", "brother sister", "begin end", "began ended", "open closed", "allowed forbidden",
    "agreed refused", "north south", "man woman", "rise fall", "same different", "success failure", "buy sell",
    "bought sold", "enabled disabled", "minimum maximum", "often rarely", "he she", "his her", "old new",
    "true false", "positive negative", "strong weak", "success failure", "start stop",
)  # fmt: skip
_SWAPS = {word: [each for each in group.split() if each != word] for group in GROUPS for word in group.split()}
for _pair in OPPOSITES:
    _one, _other = _pair.split()
    _SWAPS.setdefault(_one, []).append(_other)
    _SWAPS.setdefault(_other, []).append(_one)


@dataclass(frozen=True)
class Said:
    """A sentence, and the characters of it that nothing supports."""

    text: str
    wrong: tuple[tuple[int, int], ...] = ()


Twist = Callable[[str, str, random.Random], Said | None]


def replaced(text: str, start: int, end: int, by: str) -> Said:
    """The text with one run of characters replaced by wrong ones."""
    return Said(text[:start] + by + text[end:], ((start, start + len(by)),))


def other_name(text: str, context: str, choose: random.Random) -> Said | None:
    """A name replaced by another one of the same context."""
    own = list(NAME.finditer(text))
    if not own:
        return None
    target = choose.choice(own)
    taken = text.lower()
    others = sorted({each[0] for each in NAME.finditer(context) if each[0].lower() not in taken})
    others = [each for each in others if target[0].lower() not in each.lower()]
    near = [each for each in others if len(each.split()) == len(target[0].split())] or others
    return replaced(text, target.start(), target.end(), choose.choice(near)) if near else None


def other_number(text: str, context: str, choose: random.Random) -> Said | None:
    """A number replaced by another one of the same context, or where it has none of that length, by an invented one."""
    own = list(NUMBER.finditer(text))
    if not own:
        return None
    target = choose.choice(own)
    taken = {each[0] for each in own}
    others = sorted({each for each in NUMBER.findall(context) if each not in taken and len(each) == len(target[0])})
    invented = "".join(str((int(d) + choose.randint(1, 9)) % 10) if d.isdigit() else d for d in target[0][1:])
    by = choose.choice(others) if others and choose.random() < 0.85 else target[0][0] + (invented or "7")
    return replaced(text, target.start(), target.end(), by) if by != target[0] else None


def other_word(text: str, context: str, choose: random.Random) -> Said | None:
    """A word replaced by one of the same ending from the context."""
    own = list(LONG_WORD.finditer(text))
    if not own:
        return None
    target = choose.choice(own)
    words = sorted({each for each in LONG_WORD.findall(context) if each not in text and each[-2:] == target[0][-2:]})
    return replaced(text, target.start(), target.end(), choose.choice(words)) if words else None


def exchanged(text: str, context: str, choose: random.Random) -> Said | None:
    """Two names of one sentence in each other's place."""
    del context
    own = list({each[0]: each for each in NAME.finditer(text)}.values())
    if len(own) < 2:
        return None
    one, other = sorted(choose.sample(own, 2), key=lambda each: each.start())
    middle = text[one.end() : other.start()]
    swapped = text[: one.start()] + other[0] + middle + one[0] + text[other.end() :]
    second = one.start() + len(other[0]) + len(middle)
    return Said(swapped, ((one.start(), one.start() + len(other[0])), (second, second + len(one[0]))))


def denied(text: str, context: str, choose: random.Random) -> Said | None:
    """A "not" put in, or taken out."""
    del context
    if match := DENIED.search(text):
        return replaced(text, match.start(), match.end(), match[1])
    found = list(AUXILIARY.finditer(text))
    if not found:
        return None
    match = choose.choice(found[:2])
    return replaced(text, match.start(), match.end(), f"{match[0]} not")


def opposite(text: str, context: str, choose: random.Random) -> Said | None:
    """A word replaced by its opposite, or a month, day, direction or numeral by another."""
    del context
    found = [each for each in re.finditer(r"\b[A-Za-z]+\b", text) if each[0].lower() in _SWAPS]
    if not found:
        return None
    match = choose.choice(found)
    by = choose.choice(_SWAPS[match[0].lower()])
    return replaced(text, match.start(), match.end(), by.capitalize() if match[0][0].isupper() else by)


TWISTS: tuple[Twist, ...] = (
    other_name,
    other_name,
    other_number,
    other_number,
    exchanged,
    denied,
    opposite,
    other_word,
)


def twisted(text: str, context: str, choose: random.Random) -> Said | None:
    """One of the conflicts, or None where the sentence offers no hold."""
    for twist in choose.sample(TWISTS, len(TWISTS)):
        if (found := twist(text, context, choose)) and found.text != text:
            return found
    return None


def with_tail(text: str, foreign: Sequence[str], choose: random.Random) -> Said | None:
    """The sentence with the last phrase of a sentence from elsewhere."""
    tails = [
        match[0] for each in choose.sample(list(foreign), min(12, len(foreign))) if (match := TAIL.search(each[:-1]))
    ]
    if not tails or text[-1:] not in ".!":
        return None
    tail = choose.choice(tails)
    return Said(text[:-1] + tail + text[-1], ((len(text) - 1, len(text) - 1 + len(tail)),))


def renamed(foreign: str, context: str, choose: random.Random) -> Said:
    """A sentence from elsewhere about somebody or something of this context."""
    own = sorted({each[0] for each in NAME.finditer(context)})
    names = list(NAME.finditer(foreign))
    if own and names and choose.random() < 0.6:
        target = choose.choice(names)
        by = choose.choice(own)
        foreign = foreign[: target.start()] + by + foreign[target.end() :]
    return Said(foreign, ((0, len(foreign)),))
