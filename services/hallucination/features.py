"""What a response looks like as a whole: its words' signs and risks, added up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.hallucination.evidence import Claim, Given
from services.hallucination.signs import NOVEL, RAREST, TWISTED, UNCOVERED

Floats = npt.NDArray[np.float64]

FEATURES = (
    "novel_share",  # of the rarity that is said, that of words which neither context nor question holds
    "risk_share",  # the same of unsupported words, as the model and their signs say
    "twisted",  # how firmly one word is held where the context says something else, by the root of the sentences
    "uncovered",  # the mean over sentences of the share that the best passage does not hold
)
PROOF = 0.5  # rarity (in units of the rarest) that is added to what was said: a very short response proves little


@dataclass(frozen=True)
class Weighed:
    """One sentence of a response: the signs of its words, and the log-odds that each is unsupported."""

    claim: Claim
    signs: Floats  # words by SIGNS
    logits: Floats  # words

    @property
    def risks(self) -> Floats:
        """The probability of each word to be unsupported."""
        return np.asarray(1 / (1 + np.exp(-self.logits)))


def features(found: Sequence[Weighed], given: Given) -> Floats:
    """The features of a response, in the order of FEATURES; each is 0 to 1 and grows with the risk.

    Shares of the response, not sums or its worst word: real answers hold openers and closing offers, which no context
    supports, and the longer an answer is the more of them it holds. A twist is none of these, and one is enough; yet
    the more sentences there are, the more of them look like one.
    """
    rarity = np.array([given.rarity.of(word.stem) / RAREST for each in found for word in each.claim.words])
    if not len(rarity):
        return np.zeros(len(FEATURES))
    said = float(rarity.sum()) + PROOF
    whole = [each for each in found if len(each.signs)]
    risks = np.concatenate([each.risks for each in whole])
    return np.array([
        novel_mass(found) / said,
        float((risks * rarity).sum()) / said,
        max(float(each.signs[:, TWISTED].max()) for each in whole) / len(whole) ** 0.5,
        float(np.mean([each.signs[0, UNCOVERED] for each in whole])),
    ])  # fmt: skip


def novel_mass(found: Sequence[Weighed]) -> float:
    """The rarity, in units of the rarest, of the words that neither context nor question holds."""
    return float(sum(each.signs[:, NOVEL].sum() for each in found))
