"""How long the validator of a JSON Schema may take: whoever sends a call sends its schema."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice, product
from typing import Any
from urllib.parse import unquote

# Of schemas for values, before it is told where a text breaks them: the validator takes up to 0.1 ms for each, and for
# nested choices all their combinations, where it says at once that the text does break them.
MOST_VISITS = 5_000
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_ALONE = frozenset({"not", "if", "then", "else"})
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies"})
_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_REST = ("additionalProperties", "unevaluatedProperties"), ("items", "additionalItems", "unevaluatedItems", "contains")
_NAMED = frozenset({"properties", "patternProperties"})  # among the schemas for parts of a value
_INNER = _NAMED | frozenset({"prefixItems", "propertyNames", *chain(*_REST)})


def work(root: Any) -> int:
    """The schemas in `root` with references written out: how often the validator looks at a value, at most.

    Where one is referred to by a name instead of a place, a bound: each reference may be followed twice.
    """
    try:
        return _work(root, root, {})
    except (LookupError, RecursionError):
        return int(2 ** min(json.dumps(root, default=str).lower().count('ref":'), 99))


def _work(root: Any, schema: Any, known: dict[int, int]) -> int:
    """The schemas in `schema` with references written out; one in itself counts once, as the validator remembers it.

    Those that a schema with `unevaluated…` has for the same value count twice: they are asked again what they saw.
    """
    if not isinstance(schema, dict):
        return 0
    if id(schema) not in known:
        known[id(schema)] = 1  # while it is followed
        times = 1 if _UNEVALUATED.isdisjoint(schema) else 2
        same = sum(_work(root, each, known) for each in _alongside(root, schema))
        inner = chain(*(_schemas(keyword, schema[keyword]) for keyword in _INNER & schema.keys()))
        known[id(schema)] = 1 + times * same + sum(_work(root, each, known) for each in inner)
    return known[id(schema)]


def is_soon_told(root: Any, value: Any) -> bool:
    """Whether the validator soon has all that breaks the schema `root` in `value`, with a copy of each value."""
    left, stack = MOST_VISITS, [(root, value)] if isinstance(root, dict) else []
    try:
        while stack and len(stack) <= left:
            schema, part = stack.pop()
            left -= 1 + len(json.dumps(part, default=str)) // 500
            same = ((each, part) for each in _alongside(root, schema))
            further = (pair for pair in chain(same, _inside(schema, part)) if isinstance(pair[0], dict))
            stack.extend(islice(further, max(left, 0) + 1))
    except LookupError:
        return False
    return not stack


def _alongside(root: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas for the same value; raises LookupError where one is referred to other than by its place in `root`."""
    if schema is not root and isinstance(schema.get("$id", schema.get("id")), str):
        raise LookupError("places are counted from here")
    for keyword, given in schema.items():
        if keyword in _REFERENCES:
            yield _referred_to(root, given)
        elif keyword in _ALONE:
            yield given
        elif keyword in _SEVERAL:
            yield from _listed(given)


def _referred_to(root: Any, reference: Any) -> Any:
    if reference != "#" and not str(reference).startswith("#/"):
        raise LookupError(reference)
    found = root
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and len(name) < 9:
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found[name]
        else:
            raise LookupError(reference)
    return found


def _inside(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Any, Any]]:
    """Schemas with the parts of `value` that they are for, or may be."""
    of_object, of_list = ([schema[each] for each in rest if each in schema] for rest in _REST)
    if isinstance(value, dict):
        named = schema.get("properties", {})
        yield from ((named[name], value[name]) for name in value if name in named)
        yield from product([*of_object, *_listed(schema.get("patternProperties"))], value.values())
        yield from product([schema.get("propertyNames")], value)
    elif isinstance(value, list):
        for each in (schema.get("prefixItems"), schema.get("items")):
            yield from zip(each if isinstance(each, list) else (), value, strict=False)
        yield from product(of_list, value)


def _schemas(keyword: str, given: Any) -> Iterable[Any]:
    return _listed(given) if keyword in _NAMED or isinstance(given, list) else (given,)


def _listed(given: Any) -> Iterable[Any]:
    """The schemas in a list, or in a table of names."""
    return given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
