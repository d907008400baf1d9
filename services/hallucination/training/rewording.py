"""Ways to say the same with other words, so that only what is said counts and not how it is copied."""

import random
import re
from collections.abc import Callable

PAIRS = (
    "begin start", "began started", "large big", "said stated", "because since", "also additionally", "many numerous",
    "help assist", "helps assists", "buy purchase", "bought purchased", "get obtain", "show demonstrate",
    "shows demonstrates", "showed demonstrated", "need require", "needs requires", "use utilize", "used utilized",
    "about approximately", "around approximately", "but however", "children kids", "movie film", "city town",
    "made created", "makes creates", "build construct", "built constructed", "choose select", "chose selected",
    "ask request", "asked requested", "give provide", "gives provides", "gave provided", "given provided",
    "quickly rapidly", "important significant", "area region", "different various", "end finish", "ended finished",
    "job position", "leave depart", "wife spouse", "kill murder", "killed murdered", "police officers",
    "told informed", "tells informs", "want wish", "wants wishes", "near close to", "main primary",
    "usually typically", "often frequently", "such as like", "allow permit", "allows permits", "car vehicle",
    "allowed permitted", "died passed away", "found discovered",
)  # fmt: skip
_SAME: dict[str, list[str]] = {}
for _pair in PAIRS:
    _one, _other = _pair.split(maxsplit=1)
    _SAME.setdefault(_one, []).append(_other)
    if " " not in _other:
        _SAME.setdefault(_other, []).append(_one)
DIGITS = dict(
    zip("2 3 4 5 6 7 8 9 10 12".split(), "two three four five six seven eight nine ten twelve".split(), strict=True)
)
FRONTED = re.compile(r"^(In|On|At|During|After|Before|By|For|Since) ([^,]{3,40}), (.{10,})\.$")
CLAUSE = re.compile(
    r",? (?:which|who|where|although|while|whereas|because|so that)\b[^,;]{10,}(?=[.,;]$|, )|\s*\([^()]{2,60}\)"
)
OPENERS = (
    "According to the context, ", "Based on the passage, ", "According to the provided documents, ",
    "The document states that ", "Sure! ", "Yes, ", "In short, ", "From the given information, ",
    "The text says that ", "As described in the article, ",
)  # fmt: skip
CLOSINGS = (
    "Let me know if you have any other questions.", "I hope this helps!",
    "Please refer to the document for more details.", "If you need more information, feel free to ask.",
    "In summary, these are the main points.",
)  # fmt: skip
ABSTENTIONS = (
    "The context does not mention anything else about this.", "I do not have specific information about that.",
    "The provided documents do not contain enough information to say more.",
    "I'm sorry, but the passage does not say anything about it.",
)  # fmt: skip

Reword = Callable[[str, random.Random], str]


def synonyms(text: str, choose: random.Random) -> str:
    """A few words replaced by others that mean the same."""

    def other(match: re.Match[str]) -> str:
        same = _SAME.get(match[0]) or ([DIGITS[match[0]]] if match[0] in DIGITS else None)
        return choose.choice(same) if same and choose.random() < 0.7 else match[0]

    return re.sub(r"(?<![\d.,$])\b\w+\b(?![\d%.,]\d)", other, text)


def moved(text: str, choose: random.Random) -> str:
    """What stands in front, such as a date, moved to the end."""
    del choose
    match = FRONTED.match(text)
    if not match:
        return text
    rest = match[3]
    return f"{rest[0].upper()}{rest[1:]} {match[1].lower()} {match[2]}."


def shortened(text: str, choose: random.Random) -> str:
    """A subordinate clause or a bracket left out."""
    found = list(CLAUSE.finditer(text))
    if not found:
        return text
    match = choose.choice(found)
    short = text[: match.start()] + text[match.end() :]
    return short if len(short) >= 30 else text


def contracted(text: str, choose: random.Random) -> str:
    """Contractions instead of full forms, or the reverse."""
    del choose
    short = re.sub(r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should) not\b", r"\1n't", text)
    return (
        short
        if short != text
        else re.sub(r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should)n['’]t\b", r"\1 not", text)
    )


def plain(text: str, choose: random.Random) -> str:
    """Quotation marks and spaces before punctuation tidied up."""
    del choose
    return re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"[\"“”`]+|''", "", text)).strip()


REWORDS: tuple[Reword, ...] = (synonyms, moved, shortened, contracted, plain)


def reworded(text: str, choose: random.Random) -> str:
    """The sentence with none to all of the changes."""
    for change in REWORDS:
        if choose.random() < 0.5:
            text = change(text, choose)
    return text


def opened(text: str, choose: random.Random) -> str:
    """The sentence behind one of the usual openers."""
    opener = choose.choice(OPENERS)
    article = text.split(" ", 1)[0] in {
        "The",
        "A",
        "An",
        "He",
        "She",
        "It",
        "They",
        "This",
        "These",
        "In",
        "On",
        "After",
    }
    return opener + (text[0].lower() + text[1:] if article and opener[-2] not in "!" else text)
