"""Every scorer that ships: what it scores, and how it is loaded where there is no broker."""

import time

from services.guard import app as guard
from services.guard.config import Config as GuardConfig
from services.guard.guard import injection, leakage, pii, secrets
from services.hallucination import app as hallucination
from services.hallucination.config import Config as HallucinationConfig
from services.hallucination.consistency import CONSISTENCY, SEMANTIC_ENTROPY
from services.hallucination.hallucination import HALLUCINATION
from services.hallucination.judge import JUDGED, JudgeScorer
from services.hallucination.uncertainty import UNCERTAINTY, UncertaintyScorer
from services.latency import app as latency
from services.latency.config import Config as LatencyConfig
from services.latency.latency import METRICS as LATENCY
from services.quality import app as quality
from services.quality.config import Config as QualityConfig
from services.quality.quality.measures import METRICS as QUALITY
from services.quality.quality.repeats import NON_DETERMINISM
from services.shared.errors import Unusable
from services.shared.line_scoring import Offer
from services.toxicity import app as toxicity
from services.toxicity.config import Config as ToxicityConfig
from services.toxicity.toxicity import METRICS as TOXICITY

GUARD = (
    injection.PROMPT, injection.CONTEXT, pii.PROMPT, pii.RESPONSE, secrets.PROMPT, secrets.RESPONSE,
    leakage.SYSTEM_PROMPT, leakage.CANARY, leakage.PROTECTED,
)  # fmt: skip

# One line a service: its name, the metrics that it gives in the order it gives them, and what loads it.
SCORERS = (
    Offer("toxicity", TOXICITY, lambda: toxicity.scorer(ToxicityConfig())),
    Offer("hallucination", (HALLUCINATION,), lambda: hallucination.scorer(HallucinationConfig())),
    Offer("consistency", (CONSISTENCY, SEMANTIC_ENTROPY), lambda: hallucination.consistency(HallucinationConfig())),
    Offer("uncertainty", (UNCERTAINTY,), UncertaintyScorer),
    Offer("guard", GUARD, lambda: guard.scorer(GuardConfig())),
    Offer("quality", QUALITY, lambda: quality.scorer(QualityConfig())),
    Offer("repeats", (NON_DETERMINISM,), lambda: quality.repeats(QualityConfig())),
    Offer("latency", LATENCY, lambda: latency.scorer(LatencyConfig())),
)
AVAILABLE = tuple(name for offer in SCORERS for name in offer.names)


def _judge() -> JudgeScorer:
    """Who asks for it by name asks for every call, unless a share is set, however long the budget takes."""
    config = HallucinationConfig()
    if not config.judge_url:
        endpoint = "TIDEMARK_HALLUCINATION_JUDGE_URL (https://host/v1) and TIDEMARK_HALLUCINATION_JUDGE_MODEL"
        raise Unusable(f"{JUDGED.name} needs the endpoint of a language model: set {endpoint}")
    share = config.judge_share if "judge_share" in config.model_fields_set else 1.0
    return hallucination.judge(config.model_copy(update={"judge_share": share}), wait=time.sleep)


# These cost money or send texts elsewhere, so they run only where they are named: `all` does not mean them.
BY_NAME = (Offer("judge", (JUDGED,), _judge),)
NAMED = tuple(name for offer in BY_NAME for name in offer.names)
