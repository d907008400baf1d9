"""Microsoft Presidio in the place of the built-in search for personal data, for those who know it."""

import logging
import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from services.guard.guard.found import Found
from services.guard.guard.pii import KINDS
from services.shared.errors import Unusable

_SETTING = "TIDEMARK_GUARD_PRESIDIO"
# What a kind is called there. A place of any size is a LOCATION, and no whole address is one span.
ENTITIES = {
    "EMAIL_ADDRESS": "EMAIL", "IBAN_CODE": "IBAN", "CREDIT_CARD": "CREDIT_CARD", "US_SSN": "SSN", "IP_ADDRESS": "IP",
    "PHONE_NUMBER": "PHONE", "PERSON": "PERSON", "LOCATION": "ADDRESS", "US_ITIN": "NATIONAL_ID",
    "US_PASSPORT": "NATIONAL_ID", "US_DRIVER_LICENSE": "NATIONAL_ID", "UK_NHS": "NATIONAL_ID", "UK_NINO": "NATIONAL_ID",
}  # fmt: skip
PIECE = 100_000  # characters that are read at once: spaCy refuses a million
_PIECES = re.compile(rf"(?s).{{1,{PIECE}}}(?=\s|$)|.{{1,{PIECE}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Presidio:
    """Personal data as Presidio finds it in English; confidences are its own, and no probabilities."""

    def __init__(self, analyzer: Any, version: str) -> None:
        self._analyzer = analyzer
        known = set(analyzer.get_supported_entities("en"))
        self._entities = [name for name in ENTITIES if name in known]
        self.version = version

    @classmethod
    def load(cls, model: str) -> Self:
        """With a spaCy model, by its name or directory; `Unusable` where Presidio or the model is missing."""
        try:
            import spacy  # noqa: PLC0415 - an extra, and seconds to import
            import tldextract  # noqa: PLC0415
            from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415
            from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415
        except ImportError as error:
            remedy = f"`pip install -e '.[presidio]'` in the checkout, or unset {_SETTING}"
            reason = f"Presidio cannot be loaded: {error}; {remedy}"
            raise Unusable(reason) from error
        if not spacy.util.is_package(model) and not Path(model).is_dir():
            reason = f"{_SETTING}={model} is no spaCy model here: `python -m spacy download {model}`, or name another"
            raise Unusable(reason)
        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # else it asks the internet for a list
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        models = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
        engine = NlpEngineProvider(nlp_configuration=models).create_engine()
        analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        meta = engine.nlp["en"].meta
        return cls(analyzer, f"presidio.{version('presidio-analyzer')}-{meta['lang']}_{meta['name']}.{meta['version']}")

    def find(self, text: str) -> list[Found]:
        """The spans, in the order of the text, none over another."""
        return _surest(self._found(_SURROGATE.sub("\ufffd", text)))

    def _found(self, text: str) -> Iterator[Found]:
        for piece in _PIECES.finditer(text):
            for each in self._analyzer.analyze(piece[0], language="en", entities=self._entities):
                start = piece.start() + each.start
                yield Found(start, piece.start() + each.end, ENTITIES[each.entity_type], float(each.score))


def _surest(found: Iterable[Found]) -> list[Found]:
    """Where some overlap, the surest; of equally sure ones the kind that is first in KINDS, then the longest.

    Not by kind at once, as of the built-in search: Presidio reports what it all but rules out, at 0.01.
    """
    kept: list[Found] = []
    for each in sorted(found, key=_rank):
        place = bisect(kept, each)
        if all(near.end <= each.start or near.start >= each.end for near in kept[max(place - 1, 0) : place + 1]):
            kept.insert(place, each)
    return kept


def _rank(each: Found) -> tuple[float, int, int, Found]:
    return -each.confidence, KINDS.index(each.kind), each.start - each.end, each
