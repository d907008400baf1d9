"""How close in meaning a response is to its reference."""

from collections.abc import Sequence

import numpy as np

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.scoring import Measured, Metric, Missing, Result
from services.shared.vectors import Encoder
from services.shared.vocabulary import Words

REFERENCE_SIMILARITY = Metric("reference_similarity", unit="cosine", worse="lower", minimum=-1.0, maximum=1.0)


def similarities(encoder: Encoder, calls: Sequence[Call]) -> Sequence[Result]:
    """The cosine of response and reference, in [-1, 1]; all texts go through the encoder together.

    Not scored where most words of one are unknown to the encoder and the texts differ: it could not tell them apart.
    Not for telling a right answer from a wrong one on the same subject: the two are close.
    """
    pairs: list[tuple[str, str]] = []

    def keep(response: str, reference: str) -> Result:
        pairs.append((response, reference))
        return Measured(0.0)

    results = [compared(call, keep) for call in calls]
    if not pairs:
        return results
    texts = [text for pair in pairs for text in pair]
    vectors, words = encoder.encode(texts), encoder.words(texts)
    cosines = np.clip((vectors[0::2] * vectors[1::2]).sum(axis=1), -1.0, 1.0).tolist()
    found = map(_read, pairs, zip(words[0::2], words[1::2], strict=True), cosines)
    return [next(found) if isinstance(result, Measured) else result for result in results]


def _read(pair: tuple[str, str], words: tuple[Words, Words], cosine: float) -> Result:
    unread = [name for name, each in zip(("response", "reference"), words, strict=True) if each.mostly_unknown]
    return Missing(f"{unread[0]} in known words") if unread and pair[0] != pair[1] else Measured(cosine)
