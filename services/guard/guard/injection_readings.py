"""The readings of a text that are worth judging."""

from collections.abc import Iterator

from services.guard.guard.injection_decoding import decoded, reversed_, rotated
from services.guard.guard.injection_surprise import SurpriseModel
from services.guard.guard.injection_views import View, joined, leet, visible

SAMPLED = 2000  # characters that decide whether a reading is more natural
LONGEST = 300_000  # characters of a text that are searched for disguises
# A whole text turned around or rotated is natural only in its plain form: English has 2 to 3 bits a character in this
# model and its rotation 6 to 8. A few words in leetspeak lower the mean by a tenth.
MUCH, SLIGHTLY = 1.0, 0.02


def readings(text: str, surprise: SurpriseModel) -> Iterator[View]:
    """What a reader sees first; then what decodes to words, or reads more naturally in another way."""
    if len(text) > LONGEST:
        yield View.of(text)
        return
    seen = visible(text)
    yield seen
    yield from decoded(seen)
    if (spelt := joined(seen)) is not None:
        yield spelt
    bits = _mean_bits(seen.text, surprise)
    if (plain := leet(seen)) is not None and _mean_bits(plain.text, surprise) < bits - SLIGHTLY:
        yield plain
    for turned in (rotated(seen), reversed_(seen)):
        if bits > MUCH + _mean_bits(turned.text, surprise):
            yield turned


def _mean_bits(text: str, surprise: SurpriseModel) -> float:
    return float(surprise.bits(text[:SAMPLED]).mean()) if text else 0.0
