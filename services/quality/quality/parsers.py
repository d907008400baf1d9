"""Whether a text is what it should be, as the parser of that format says, and where it first is not."""

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from decimal import MAX_EMAX, Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple, NoReturn

import jsonschema_rs
import msgspec
import re2
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from services.quality.quality.json_paths import Path, pointer, span_of
from services.quality.quality.schema_work import is_soon_told, work

MOST_VIOLATIONS = 100  # of one text, among which the first is looked for
MOST_DIGITS = 4_000  # of a whole number: Python makes those of 4,300
MOST_LARGE = 50  # numbers of a text that neither a double nor that holds: the validator is slow to tell them apart
MOST_NAMES = 20  # of a path that is told
MOST_STEPS = 100_000  # a schema's pattern may try before it is taken not to match: time stays linear
# Schemas that one may hold with its references written out, and those times the characters of a text: the validator
# follows references again each time, and in 0.5 s it is through this many.
MOST_WORK, MOST_WORK_BY_CHARACTERS = 10_000, 100_000_000
_LINEAR = jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_STEPS)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_RE2 = re2.Options()
_RE2.log_errors = False


class Violation(NamedTuple):
    """Where a text first breaks its format (characters), and how; `what` begins with the path where there is one."""

    start: int
    end: int
    what: str


class BadDefinition(ValueError):
    """The expected format itself cannot be used; the text says why."""


def violation(kind: str, definition: Any, text: str) -> Violation | None:
    """The first violation of the format `kind` by all of `text`, or None where the parser takes it.

    JSON is RFC 8259 (no NaN), read by Python's parser; JSON Schema as its `$schema` says, else 2020-12, with
    references inside the schema alone, and at most 50 numbers in the text that are too large to be held; regex is RE2
    and has to match the whole text; a choice may stand between white space; XML may declare no entities; Python is the
    grammar of the interpreter that runs this.
    Raises BadDefinition.
    """
    return _CHECKS[kind](definition, text)


def not_json(_: Any, text: str) -> Violation | None:
    """Where `text` stops being JSON."""
    return found if isinstance(found := _read_json(text, real=str, whole=str), Violation) else None


def _read_json(text: str, *, real: Callable[[str], Any], whole: Callable[[str], Any]) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=real, parse_int=whole)
    except json.JSONDecodeError as error:
        return _at(text, error.pos, f"line {error.lineno} column {error.colno}: {error.msg}")
    except RecursionError:
        return _at(text, 0, "nested too deeply")
    except ValueError as error:
        return Violation(0, len(text), str(error))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Numbers:
    """The numbers of one text, as decimals where a double would be infinite: the validator compares them exactly."""

    def __init__(self) -> None:
        self.left = MOST_LARGE

    def real(self, written: str) -> float | Decimal:
        return number if isfinite(number := float(written)) else self._large(written)

    def whole(self, written: str) -> int | Decimal:
        return int(written) if len(written) <= MOST_DIGITS else self._large(written)

    def _large(self, written: str) -> Decimal:
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"more than {MOST_LARGE} numbers that are too large to be held")
        try:
            return Decimal(written)
        except InvalidOperation:  # an exponent of 19 digits or more
            return Decimal(f"{'-' * written.startswith('-')}1e{MAX_EMAX}")


def off_schema(definition: Any, text: str) -> Violation | None:
    """Where `text` is no JSON, or the first value, as the text goes, that breaks the schema.

    That is all of it where the value takes long to find: among some thousand, in choices of choices, or where a schema
    refers to another by a name instead of a place.
    """
    validator, schema, needed = _validator(_written(definition))
    if needed * len(text) > MOST_WORK_BY_CHARACTERS:
        raise BadDefinition(f"a JSON Schema of {needed:,} schemas, too many for {len(text):,} characters")
    numbers = _Numbers()
    value = _read_json(text, real=numbers.real, whole=numbers.whole)
    if isinstance(value, Violation):
        return value
    try:
        value = _encodable(value) if _has_surrogate(text) or _ESCAPED_SURROGATE.search(text) else value
        if validator.is_valid(value):
            return None
        errors = _errors(validator, value) if is_soon_told(schema, value) else []
    except RecursionError:
        return _at(text, 0, "nested too deeply")
    located = [
        Violation(*span_of(text, error.instance_path), f"{pointer(error.instance_path)}: {_keyword(error.schema_path)}")
        for error in errors
    ]
    untold = Violation(0, len(text), "/: too much to say where")
    return min(located, key=lambda each: (each.start, -each.end, each.what), default=untold)


def _errors(validator: jsonschema_rs.Validator, value: Any) -> list[jsonschema_rs.ValidationError]:
    """The first violations; none where one holds a whole number of more digits than Python takes."""
    try:
        return list(islice(validator.iter_errors(value), MOST_VIOLATIONS))
    except ValueError:
        return []


def _written(definition: Any) -> str:
    """The schema as JSON."""
    if isinstance(definition, str):
        return definition
    try:
        return msgspec.json.encode(definition).decode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise BadDefinition("no JSON Schema") from error


@lru_cache(256)
def _validator(schema: str) -> tuple[jsonschema_rs.Validator, Any, int]:
    """The validator, the schema that it is of, and the work that this is."""
    numbers = _Numbers()
    root = _read_json(schema, real=numbers.real, whole=numbers.whole)
    if isinstance(root, Violation):
        raise BadDefinition(f"no JSON Schema: {root.what}")
    root = _unwrapped(root)
    needed = work(root)
    if needed > MOST_WORK:
        raise BadDefinition(f"a JSON Schema of more than {MOST_WORK:,} schemas with its references written out")
    try:
        return jsonschema_rs.validator_for(root, offline=True, pattern_options=_LINEAR), root, needed
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise BadDefinition(f"no JSON Schema: {str(error).partition(chr(10))[0]}") from error


def _unwrapped(given: Any) -> Any:
    """The schema that `given` is, or that it holds as OpenAI's `response_format` does."""
    if isinstance(given, dict) and given.get("type") == "json_schema":
        given = given.get("json_schema", given)
    if isinstance(given, dict) and {"name", "schema"} <= given.keys() <= {"name", "schema", "strict", "description"}:
        return given["schema"]
    return given


def _keyword(path: Path) -> str:
    return str(next((each for each in reversed(path) if isinstance(each, str)), "false"))


def _encodable(value: Any) -> Any:
    """The value without lone surrogates, which the validator cannot take; it sees U+FFFD in their place."""
    if isinstance(value, dict):
        return {encodable(name): _encodable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    return encodable(value) if isinstance(value, str) else value


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def off_pattern(definition: Any, text: str) -> Violation | None:
    """Whether all of `text` matches."""
    return None if compiled(definition).fullmatch(encodable(text)) else Violation(0, len(text), "no match")


def compiled(pattern: Any) -> Any:
    """The RE2 pattern; it has neither look-around nor back references, and so takes linear time."""
    if not isinstance(pattern, str):
        raise BadDefinition("no pattern")
    return _compiled(pattern)


@lru_cache(256)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, options=_RE2)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else str(error)
        raise BadDefinition(f"no RE2 pattern: {said}") from error


def encodable(text: str) -> str:
    """The text with U+FFFD in place of lone surrogates, of the same length."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _has_surrogate(text) else text


def choices(definition: Any) -> Sequence[str]:
    """The texts that may be chosen."""
    found = definition if isinstance(definition, list | tuple) else []
    if not found or not all(isinstance(each, str) for each in found):
        raise BadDefinition("no list of choices")
    return found


def off_choice(definition: Any, text: str) -> Violation | None:
    """Whether `text` is one of the choices."""
    return (
        None if text.strip() in map(str.strip, choices(definition)) else Violation(0, len(text), "none of the choices")
    )


class _Path:
    """Where the XML parser is."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, name: str, _: Mapping[str, str]) -> None:
        self.names.append(name)

    def end(self, _: str) -> None:
        self.names.pop()

    def data(self, _: str) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """There is no tree."""


def not_xml(_: Any, text: str) -> Violation | None:
    """Where `text` stops being XML."""
    path = _Path()
    parser = DefusedXMLParser(target=path)
    try:
        parser.feed(text)
        parser.close()
    except ParseError as error:
        line, column = error.position
        what = f"/{'/'.join(path.names[:MOST_NAMES])}: {str(error).partition(':')[0]}"
        return _at(text, _offset(text, line, column), what)
    except DefusedXmlException:
        return _at(text, 0, "entities are refused")
    except UnicodeEncodeError as error:
        return _at(text, error.start, "lone surrogate")
    return None


def not_python(_: Any, text: str) -> Violation | None:
    """Where `text` stops being Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "", "exec", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
        return _at(text, _offset(text, line, column), f"line {line}: {error.msg}")
    except UnicodeEncodeError as error:
        return _at(text, error.start, "lone surrogate")
    except ValueError as error:  # a null byte
        return _at(text, max(text.find("\0"), 0), str(error))
    except (MemoryError, RecursionError):  # what the parser says of more than its stack takes
        return _at(text, 0, "nested too deeply")
    return None


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return len(text)
    return start + column


def _at(text: str, position: int, what: str) -> Violation:
    """One character; where the text ended too soon, its last."""
    start = max(min(position, len(text) - 1), 0)
    return Violation(start, min(start + 1, len(text)), what)


_CHECKS: Mapping[str, Callable[[Any, str], Violation | None]] = {
    "json": not_json,
    "json_schema": off_schema,
    "regex": off_pattern,
    "choice": off_choice,
    "xml": not_xml,
    "python": not_python,
}
