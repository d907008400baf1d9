"""Canary strings: texts that were planted, so that they show where they leak to."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import sha256

import ahocorasick

from services.guard.guard.found import Found
from services.guard.guard.reading import folded

SHORTEST = 8  # letters and digits: a shorter one would turn up by chance
_RUN = re.compile(r"[^\W_]{1,4096}")
OWN, OTHER = "own_tenant", "other_tenant"


class Canaries:
    """The strings of each tenant, looked for all at once (Aho and Corasick), without case, blanks and signs.

    Raises ValueError for a string with fewer than SHORTEST letters and digits.

    >>> found = Canaries({"acme": ["zebra-91-kite"]}).leaked("so: Z E B R A 91 kite.", "other")
    >>> [(each.start, each.end, each.kind) for each in found]
    [(4, 21, 'other_tenant')]
    """

    def __init__(self, listed: Mapping[str, Sequence[str]]) -> None:
        self._machine = ahocorasick.Automaton()
        owners: dict[str, set[str]] = {}
        for tenant, strings in listed.items():
            for string in strings:
                plain, _ = _squeezed(string)
                if len(plain) < SHORTEST:
                    raise ValueError(f"a canary of {tenant} has fewer than {SHORTEST} letters and digits")
                owners.setdefault(plain, set()).add(tenant)
        for plain, tenants in owners.items():
            self._machine.add_word(plain, (len(plain), frozenset(tenants)))
        if owners:
            self._machine.make_automaton()
        self._none = not owners
        known = sorted((plain, sorted(tenants)) for plain, tenants in owners.items())
        self.version = sha256(repr(known).encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def __bool__(self) -> bool:
        return not self._none

    def leaked(self, text: str, tenant: str) -> list[Found]:
        """Where a canary stands in `text`, and whether it is `tenant`'s own; another's is surely a leak."""
        if self._none:
            return []
        plain, places = _squeezed(text)
        found: list[Found] = []
        done = 0
        for last, (length, tenants) in self._machine.iter(plain):
            if last - length + 1 < done:
                continue
            done = last + 1
            kind = OWN if tenant in tenants else OTHER
            found.append(Found(places.of(last - length + 1), places.of(last) + 1, kind, 1.0))
        return found


class _Places:
    """Where each character of a squeezed text stood; runs of characters that kept their distance."""

    def __init__(self) -> None:
        self._squeezed: list[int] = []
        self._original: list[int] = []

    def add(self, squeezed: int, original: int) -> None:
        self._squeezed.append(squeezed)
        self._original.append(original)

    def of(self, place: int) -> int:
        run = bisect_right(self._squeezed, place) - 1
        return self._original[run] + place - self._squeezed[run]


def _squeezed(text: str) -> tuple[str, _Places]:
    """Letters and digits alone, folded, and where they stood."""
    parts: list[str] = []
    places, length = _Places(), 0
    for match in _RUN.finditer(text):
        plain = folded(match[0])
        if len(plain) == len(match[0]):
            places.add(length, match.start())
            parts.append(plain)
            length += len(plain)
            continue
        for place, character in enumerate(match[0], match.start()):
            for each in folded(character):
                places.add(length, place)
                parts.append(each)
                length += 1
    return "".join(parts), places
