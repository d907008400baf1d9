"""Words that exclude each other."""

from collections.abc import Set

from services.hallucination.words import stem

PAIRS = (
    "more less", "before after", "increase decrease", "rise fall", "higher lower", "large small", "old young",
    "old new", "largest smallest", "always never", "all none", "all some", "most few", "early late", "win lose",
    "won lost", "accept reject", "accept refuse", "agree refuse", "best worst", "first last", "above below",
    "inside outside", "begin end", "start stop", "start end", "open closed", "open close", "allow forbid",
    "allow deny", "north south", "east west", "same different", "success failure", "succeed fail", "pass fail",
    "buy sell", "bought sold", "enable disable", "minimum maximum", "often rarely", "true false", "positive negative",
    "strong weak", "possible impossible", "legal illegal", "safe unsafe", "safe dangerous", "yes no", "hot cold",
    "good bad", "cheap expensive", "alive dead", "present absent", "include exclude", "support oppose",
    "approve reject", "confirm deny", "expand shrink", "gain loss", "profit loss", "husband wife", "father mother",
    "son daughter", "brother sister", "man woman", "men women", "boy girl", "left right", "top bottom", "fast slow",
    "long short", "high low", "up down", "arrive leave", "required optional", "public private", "male female",
    "day night", "morning evening", "summer winter", "unable able", "likely unlikely", "known unknown",
    "happy unhappy", "happy sad", "hard easy", "difficult easy", "full empty", "internal external", "import export",
)  # fmt: skip
SERIES = (
    "january february march april may june july august september october november december",
    "monday tuesday wednesday thursday friday saturday sunday",
    "one two three four five six seven eight nine ten twelve twenty thirty fifty hundred thousand million billion",
    "first second third fourth fifth sixth", "red blue green black white yellow brown orange purple pink",
    "north south east west",
)  # fmt: skip


def _excluded() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in (*PAIRS, *SERIES):
        stems = {stem(word) for word in group.split()}
        for each in stems:
            found.setdefault(each, set()).update(stems - {each})
    return {each: frozenset(others) for each, others in found.items()}


EXCLUDED = _excluded()


def opposed(ours: Set[str], theirs: Set[str]) -> bool:
    """Whether one side says what excludes a word of the other; both are stems.

    >>> opposed({stem("rise")}, {stem("fall")}), opposed({stem("rise")}, {stem("climb")})
    (True, False)
    """
    return any(EXCLUDED.get(each, frozenset()) & theirs for each in ours)
