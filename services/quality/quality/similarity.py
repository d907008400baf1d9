"""How close in meaning a response is to its reference."""

from collections.abc import Sequence

import numpy as np

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.scoring import Measured, Metric, Result
from services.shared.vectors import Encoder

REFERENCE_SIMILARITY = Metric("reference_similarity", unit="cosine", worse="lower", minimum=-1.0, maximum=1.0)


def similarities(encoder: Encoder, calls: Sequence[Call]) -> Sequence[Result]:
    """The cosine of response and reference, in [-1, 1]; all texts go through the encoder together.

    Not for telling a right answer from a wrong one on the same subject: the two are close.
    """
    pairs: list[tuple[str, str]] = []

    def keep(response: str, reference: str) -> Result:
        pairs.append((response, reference))
        return Measured(0.0)

    results = [compared(call, keep) for call in calls]
    if not pairs:
        return results
    vectors = encoder.encode([text for pair in pairs for text in pair])
    cosines = iter(np.clip((vectors[0::2] * vectors[1::2]).sum(axis=1), -1.0, 1.0).tolist())
    return [Measured(next(cosines)) if isinstance(result, Measured) else result for result in results]
