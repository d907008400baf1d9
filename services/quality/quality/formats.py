"""Whether a response is in the format it should have, could be repaired, or can be read in several ways."""

import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version as version_of
from itertools import islice
from typing import Any, Self, SupportsIndex

import json_repair
import msgspec

from schemas.messages import Call, Span
from services.quality.quality.parsers import BadDefinition, Violation, choices, compiled, encodable, violation
from services.quality.quality.readings import Reading, claims, embedded, fenced
from services.shared.scoring import Invalid, Measured, Metric, Missing, Result

VALIDITY = Metric("format_validity", unit="1", worse="lower", maximum=1.0, threshold=1.0)
REPAIRABILITY = Metric("format_repairability", unit="1", worse="lower", maximum=1.0, threshold=0.25)
AMBIGUITY = Metric("format_ambiguity", unit="1", worse="higher", maximum=1.0, threshold=0.5)
STRUCTURE = Metric("response_structure", unit="1", worse="higher", maximum=1.0)
AS_IT_STANDS, TAKEN_OUT, REPAIRED, BEYOND_REPAIR = 1.0, 0.5, 0.25, 0.0  # repairability
PLAIN, CUT_OUT, SEVERAL, AFTER_REPAIR, UNREADABLE = 0.0, 0.25, 0.5, 0.75, 1.0  # ambiguity
LONGEST_REPAIRED = 20_000  # characters
# A repair reads what is cut off once or twice, every quote that is wrong three times, and a row of brackets that nobody
# closed by the square of its length or worse: this many reads take a quarter of a second.
MOST_READ = 60_000
MOST_READINGS = 8
MOST_CHOICES, MOST_CHOSEN = 1_000, 50_000  # and their characters together, from which a pattern is made in 0.2 s
MOST_COMPARED = 20_000_000  # characters of all choices by those of the text that is searched for them: in 0.2 s
MOST_MATCHES = 1000  # of a pattern, those of nothing included
_FORMATS = frozenset({"json", "xml", "python"})  # every other block is code: what a model names is no vocabulary
_LONGEST_KIND = 200  # of a span
# What a word goes on with: not the letters of scripts that put no blanks between words.
_JOINED = r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_ROW = re.compile(r"^[ \t]*(?:\||[-*+•][ \t]|\d{1,3}[.)][ \t]|#{1,6}[ \t]).*$", re.MULTILINE)


class Expected(msgspec.Struct, frozen=True):
    """A format as it is checked."""

    kind: str
    definition: Any = None

    def violated_by(self, text: str) -> Violation | None:
        """The first violation; raises BadDefinition."""
        return violation(self.kind, self.definition, text)


def version() -> str:
    """Of who decides beside the rules here: the parsers, Python's own among them."""
    parsers = [version_of(name) for name in ("json-repair", "jsonschema-rs", "google-re2", "defusedxml")]
    python = ".".join(platform.python_version_tuple()[:2])
    return f"formats:{blake2b(' '.join([python, *parsers]).encode(), digest_size=4).hexdigest()}"


def validity(call: Call) -> Result:
    """1 where the parser takes the whole response, else 0; the first violation is the evidence, its path the kind.

    Where no format is expected, every block that claims one (a fence named json, xml or python; or all of a text that
    begins and ends like one) has to parse; the value is the share that does. Prose claims nothing and is not scored.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    if call.expected_format is not None:
        return _judged(_expected(call), text)
    found = [(each, Expected(each.kind).violated_by(each.inner(text))) for each in claims(text)]
    if not found:
        return Missing("expected_format")
    broken = [(each, wrong) for each, wrong in found if wrong is not None]
    spans = tuple(span for each, wrong in broken[:1] for span in _span(wrong, text, each))
    return Measured(1 - len(broken) / len(found), spans)


def _expected(call: Call) -> Expected:
    given = call.expected_format
    return Expected(given.kind, given.definition) if given else Expected("")


def _judged(expected: Expected, text: str) -> Result:
    try:
        wrong = expected.violated_by(text)
    except BadDefinition as error:
        return Invalid(f"expected_format.definition is {error}"[:_LONGEST_KIND])
    return Measured(0.0, tuple(_span(wrong, text, Reading(0, len(text), "")))) if wrong else Measured(1.0)


def _span(wrong: Violation, text: str, inside: Reading) -> Iterator[Span]:
    if wrong.end > wrong.start:  # an empty text has no characters to point at
        kind = encodable(wrong.what)[:_LONGEST_KIND]
        start, end = inside.place(text, wrong.start), inside.place(text, wrong.end - 1) + 1
        yield Span(field="response", start=start, end=end, kind=kind)


def _over_readings(
    call: Call, judge: Callable[[Expected, str], Measured], together: Callable[[list[float], bool], float]
) -> Result:
    """What is judged of the response as its expected format, else of all its claims, whose values go `together`.

    `together` is also told whether there is one claim and it is the whole response.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    if call.expected_format is not None:
        try:
            return judge(_expected(call), text)
        except BadDefinition as error:
            return Invalid(f"expected_format.definition is {error}"[:_LONGEST_KIND])
    found = claims(text)[:MOST_READINGS]
    if not found:
        return Missing("expected_format")
    whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(text))
    values = [judge(Expected(each.kind), each.inner(text)).value for each in found]
    return Measured(together(values, whole))


def repairability(call: Call) -> Result:
    """How little has to be done until the parser takes the response.

    1 nothing; 0.5 the block or value is taken out of fences or prose; 0.25 its JSON is repaired as well (quotes,
    commas, brackets, comments, the end that is missing: json-repair); 0 neither helps. Texts over 20,000 characters
    are not repaired, nor those of which hardly anything is JSON. Where no format is expected: the worst of the blocks
    that claim one.
    """
    return _over_readings(call, _repairable, lambda values, _: min(values))


def _repairable(expected: Expected, text: str) -> Measured:
    if expected.violated_by(text) is None:
        return Measured(AS_IT_STANDS)
    if _inside(expected, text):
        return Measured(TAKEN_OUT)
    return Measured(REPAIRED if _mended(expected, text) else BEYOND_REPAIR)


def ambiguity(call: Call) -> Result:
    """In how many ways a response can be read as what it should be.

    0 it is that as it stands; 0.25 one reading, in fences or among prose; 0.5 several readings (blocks that all
    parse, several of the choices, several matches of the pattern); 0.75 only after repair; 1 none at all. Where no
    format is expected: the worst of the blocks that claim one.
    """
    return _over_readings(call, _ambiguous, lambda values, whole: max(values) if whole else max(*values, CUT_OUT))


def _ambiguous(expected: Expected, text: str) -> Measured:
    if expected.violated_by(text) is None:
        return Measured(PLAIN)
    found = _inside(expected, text)
    if len(found) > 1:
        spans = (Span(field="response", start=each.start, end=each.end, kind="reading") for each in found)
        return Measured(SEVERAL, tuple(spans))
    if found:
        return Measured(CUT_OUT)
    return Measured(AFTER_REPAIR if _mended(expected, text) else UNREADABLE)


def _inside(expected: Expected, text: str) -> list[Reading]:
    """The parts of a text that are what all of it should be."""
    match expected.kind:
        case "choice":
            return _chosen(expected.definition, text)
        case "regex":
            found = islice(compiled(expected.definition).finditer(encodable(text)), MOST_MATCHES)
            spans = [each.span() for each in found if each.end() > each.start()]
            return [Reading(start, end, "regex") for start, end in spans[:MOST_READINGS]]
    blocks = [each for each in fenced(text)[:MOST_READINGS] if _parses(expected, text, each)]
    return blocks or [each for each in embedded(text) if _parses(expected, text, each)][:1]


def _chosen(definition: Any, text: str) -> list[Reading]:
    """Choices that stand as words of their own, without regard to case; of two in one place the longer.

    A single letter in the other case may be an article ("a"): it counts where nothing stands as it is written.

    The more there are to choose from, the less of a long text is read: 2,000 characters for 10,000 of choices. Among
    very many nothing is looked for.
    """
    named = sorted({each.strip() for each in choices(definition)} - {""}, key=lambda each: (-len(each), each))
    if not named or len(named) > MOST_CHOICES or sum(map(len, named)) > MOST_CHOSEN:
        return []
    shape = re.compile(rf"(?<!{_JOINED})(?:{'|'.join(map(re.escape, named))})(?!{_JOINED})", re.IGNORECASE)
    found: dict[str, Reading] = {}
    for match in shape.finditer(text, 0, MOST_COMPARED // sum(map(len, named))):
        reading, name = Reading(*match.span(), "choice"), match[0].casefold()
        found[name] = reading if match[0] in named else found.get(name, reading)
    written = [each for each in found.values() if text[each.start : each.end] in named]
    return [each for each in found.values() if not written or each in written or each.end - each.start > 1][
        :MOST_READINGS
    ]


def _parses(expected: Expected, text: str, reading: Reading) -> bool:
    inner = reading.inner(text)
    return bool(inner.strip()) and expected.violated_by(inner) is None


def _mended(expected: Expected, text: str) -> bool:
    if expected.kind not in ("json", "json_schema") or len(text) > LONGEST_REPAIRED:
        return False
    repaired = _repaired(text)
    return bool(repaired) and expected.violated_by(repaired) is None


class _Metered(str):
    """A text of which only so much can be read, its parts included; then it raises ValueError."""

    left: list[int]

    @classmethod
    def of(cls, text: str, left: list[int]) -> Self:
        made = cls(text)
        made.left = left
        return made

    def __getitem__(self, at: SupportsIndex | slice) -> str:
        found = super().__getitem__(at)
        self.left[0] -= 1 + len(found) // 256  # copied in the time of a read
        if self.left[0] < 0:
            raise ValueError("read too often")
        return self.of(found, self.left) if isinstance(at, slice) else found

    def __add__(self, other: str) -> str:
        return self.of(super().__add__(other), self.left)

    def __radd__(self, other: str) -> str:
        return self.of(other + str(self), self.left)


@lru_cache(64)
def _repaired(text: str) -> str:
    """Repaired JSON of an object or a list; "" where none is left: a bare word is no answer to be saved."""
    try:
        metered = _Metered.of(text, [MOST_READ])
        value = json_repair.repair_json(metered, return_objects=True, skip_json_loads=True)
        return msgspec.json.encode(value, enc_hook=str).decode() if value and isinstance(value, dict | list) else ""
    except (ValueError, RecursionError, IndexError, UnicodeError):
        return ""


def structure(call: Call) -> Result:
    """The share of the response in fenced blocks, tables, lists and headings, or 1 where all of it is JSON or XML.

    For drift, not for judging: where an application answered in JSON and begins to answer in prose, windows move.
    The statistics name the format that most of the response is in (json, xml, python, code, list, else prose): their
    sums over a window, by its weight, are the share of each.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    if not text.strip():
        return Measured(0.0, statistics={"empty": 1.0})
    found = claims(text)
    if found and (found[0].start, found[0].end) == (0, len(text)):
        whole = Span(field="response", start=0, end=len(text), kind=found[0].kind)
        return Measured(1.0, (whole,), {found[0].kind: 1.0})
    blocks = [each for each in fenced(text) if each.end > each.start]
    rows = sum(match.end() - match.start() for match in _ROW.finditer(_without(text, blocks)))
    inside = sum(each.end - each.start for each in blocks)
    spans = (
        Span(field="response", start=each.start, end=each.end, kind=each.kind or "code")
        for each in blocks[:MOST_READINGS]
    )
    return Measured(min((inside + rows) / len(text), 1.0), tuple(spans), {_format(text, blocks, rows): 1.0})


def _format(text: str, blocks: list[Reading], rows: int) -> str:
    """What takes up at least half of a text; of equals the first by name."""
    sizes = Counter({"list": rows})
    for block in blocks:
        sizes[block.kind if block.kind in _FORMATS else "code"] += block.end - block.start
    name, size = min(sizes.items(), key=lambda each: (-each[1], each[0]))
    return name if 2 * size >= len(text) else "prose"


def _without(text: str, blocks: list[Reading]) -> str:
    kept, at = [], 0
    for block in blocks:
        kept.append(text[at : block.start])
        at = block.end
    return "".join((*kept, text[at:]))


MEASURES: Mapping[Metric, Callable[[Call], Result]] = {
    VALIDITY: validity,
    REPAIRABILITY: repairability,
    AMBIGUITY: ambiguity,
    STRUCTURE: structure,
}
