"""Canary strings: texts that were planted, so that they show where they leak to."""

import re
import unicodedata
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256

import ahocorasick

from services.guard.guard.found import Found, settled

SHORTEST = 8  # letters and digits: a shorter one would turn up by chance
_RUN = re.compile(r"[^\W_]+")
OWN, OTHER = "own_tenant", "other_tenant"


class Canaries:
    """The strings of each tenant, looked for all at once (Aho and Corasick), without case, accents, blanks and signs.

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
                if len(unicodedata.normalize("NFC", plain)) < SHORTEST:  # a Korean syllable is one letter
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
            Found(places[first], places[last] + 1, kind, 1.0)
            for kind, row in longest.items()
            for first, last in row[1:]
        ]
        return settled(found, (OTHER, OWN))


def _squeezed(text: str) -> "tuple[str, array[int]]":
    """Letters and digits alone, without what may be coded apart, and where each stood."""
    parts: list[str] = []
    places = array("q")
    for run in _RUN.finditer(text):
        if run[0].isascii():
            parts.append(run[0].lower())
            places.extend(range(*run.span()))
            continue
        for place, letter in enumerate(run[0], run.start()):
            plain = _plain(letter)
            parts.append(plain)
            places.extend([place] * len(plain))
    return "".join(parts), places


@lru_cache(65_536)
def _plain(letter: str) -> str:
    """What it is made of, without case and marks: a mark strikes a letter through, or tells two apart.

    >>> _plain("É"), _plain("ｶ"), _plain("ǆ")
    ('e', 'カ', 'dz')
    """
    return _letters(_letters(letter).casefold())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))
