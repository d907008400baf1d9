"""What a model's tokens cost, and since when."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec

LIST = Path(__file__).parent / "prices.yaml"
LONGEST_NAME = 200  # characters of a model's name: the search for a snapshot date takes the square of its length
_SNAPSHOT = re.compile(r"(-\d{4}-?\d{2}-?\d{2}|-\d{4}|-latest|@\d{8}|-preview)+$")


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for a million tokens of one model, from a day on."""

    model: str
    since: date
    input: float
    output: float
    cached: float | None = None  # None: as `input`

    def cost_usd(self, fresh: int, cached: int, output: int) -> float:
        """The price of one call's fresh input, cached input and output tokens."""
        cached_price = self.input if self.cached is None else self.cached
        return (fresh * self.input + cached * cached_price + output * self.output) / 1e6


class PriceList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: its version, and every price."""

    version: str
    prices: tuple[Price, ...]


class Prices:
    """Prices by model and day.

    >>> prices = Prices.parse("{version: x, prices: [{model: m, since: 2025-01-01, input: 1, output: 2}]}")
    >>> prices.of("provider/m-2025-03-01", date(2025, 6, 1)).output
    2.0
    >>> prices.of("m", date(2024, 6, 1)) is None
    True
    """

    def __init__(self, listed: PriceList) -> None:
        self.version = listed.version
        self._prices = listed.prices

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The list in `path`, or the one that ships; raises msgspec.ValidationError with the offending field."""
        return cls.parse((path or LIST).read_text())

    @classmethod
    def parse(cls, text: str) -> Self:
        """The list in `text` (YAML)."""
        return cls(msgspec.yaml.decode(text, type=PriceList))

    def of(self, model: str, day: date) -> Price | None:
        """The price of `model` on `day`: by its whole name, else without provider and snapshot date.

        A name of more than 200 characters has none.
        """
        if len(model) > LONGEST_NAME:
            return None
        short = model.rpartition("/")[2].lower()
        for name in (model.lower(), short, _SNAPSHOT.sub("", short)):
            valid = [price for price in self._by_model.get(name, ()) if price.since <= day]
            if valid:
                return max(valid, key=lambda price: price.since)
        return None

    @cached_property
    def _by_model(self) -> Mapping[str, Sequence[Price]]:
        found: dict[str, list[Price]] = {}
        for price in self._prices:
            found.setdefault(price.model.lower(), []).append(price)
        return found
