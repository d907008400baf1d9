"""What a change to a released message would break."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def breaking_changes(released: Schema, current: Schema) -> list[str]:
    """Why messages of the released schema may not parse under the current one, or old readers not the new ones.

    Allowed: new optional fields, wider bounds. Everything else is breaking: a field that is gone, became required or
    changed its type, a narrower bound, an enumeration that changed.
    """
    pair = _Pair(released.get("$defs", {}), current.get("$defs", {}))
    return list(pair.compare("$", released, current))


class _Pair:
    """Two schemas with their definitions."""

    def __init__(self, released: Schema, current: Schema) -> None:
        self._definitions = released, current
        self._seen: set[tuple[str, str]] = set()

    def compare(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        """Breaking changes at and below `path`."""
        if "$ref" in old and "$ref" in new:
            yield from self._references(path, old["$ref"], new["$ref"])
            return
        for name in ("type", "enum", "const", "format", "contentEncoding"):
            if _as_set(old.get(name)) != _as_set(new.get(name)):
                yield f"{path}: {name} was {old.get(name)}, is {new.get(name)}"
        yield from _bounds(path, old, new)
        yield from self._properties(path, old, new)
        for name in ("items", "additionalProperties"):
            if isinstance(old.get(name), Mapping):
                inner = new.get(name)
                yield from self.compare(f"{path}[]", old[name], inner if isinstance(inner, Mapping) else {})
        yield from self._alternatives(path, old.get("anyOf", ()), new.get("anyOf", ()))

    def _references(self, path: str, old: str, new: str) -> Iterator[str]:
        if (old, new) in self._seen:
            return
        self._seen.add((old, new))
        released, current = self._definitions
        yield from self.compare(path, released[_last(old)], current[_last(new)])

    def _properties(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        for name in set(new.get("required", ())) - set(old.get("required", ())):
            yield f"{path}.{name}: became required"
        for name, schema in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{path}.{name}: is gone"
            else:
                yield from self.compare(f"{path}.{name}", schema, new["properties"][name])

    def _alternatives(self, path: str, old: Any, new: Any) -> Iterator[str]:
        if len(old) != len(new):
            yield f"{path}: had {len(old)} alternatives, has {len(new)}"
            return
        for before, after in zip(old, new, strict=True):
            yield from self.compare(path, before, after)


def _bounds(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for name in ("maxLength", "maximum", "exclusiveMaximum", "maxItems"):
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{path}: {name} became {new[name]}"
    for name in ("minLength", "minimum", "exclusiveMinimum", "minItems"):
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{path}: {name} became {new[name]}"


def _as_set(value: Any) -> Any:
    return frozenset(map(str, value)) if isinstance(value, list) else value


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]
