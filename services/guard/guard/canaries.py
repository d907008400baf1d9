"""Canary strings: texts that were planted, so that they show where they leak to."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import sha256

import ahocorasick

from services.guard.guard.found import Found, settled
from services.guard.guard.reading import folded

SHORTEST = 8  # letters and digits: a shorter one would turn up by chance
_LETTER = re.compile("[^\\W_][\u0300-\u036f]*")  # with its accents, where they are coded apart
_RUN = re.compile("[^\\W_](?:[^\\W_]|[\u0300-\u036f]){0,4095}")
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
        """Where a canary stands in `text`, and whether it is `tenant`'s own; another's is surely a leak.

        Of those that overlap another's goes before one's own, and then the longer.
        """
        if self._none:
            return []
        plain, places = _squeezed(text)
        longest: dict[str, list[tuple[int, int]]] = {OTHER: [(-1, -1)], OWN: [(-1, -1)]}
        for last, (length, tenants) in self._machine.iter(plain):
            row = longest[OWN if tenant in tenants else OTHER]
            first, before = row[-1]
            if last - length >= before:
                row.append((last - length + 1, last))
            elif length > before - first + 1:  # at once: a long text may be all one canary, over and over
                row[-1] = last - length + 1, last
        found = [
            Found(places.of(first), places.of(last) + 1, kind, 1.0)
            for kind, row in longest.items()
            for first, last in row[1:]
        ]
        return settled(found, (OTHER, OWN))


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
        if match[0].isascii() or len(plain) == len(match[0]) == len(_LETTER.findall(match[0])):
            places.add(length, match.start())
            parts.append(plain)
            length += len(plain)
            continue
        for letter in _LETTER.finditer(text, *match.span()):
            for each in folded(letter[0]):
                places.add(length, letter.start())
                parts.append(each)
                length += 1
    return "".join(parts), places
