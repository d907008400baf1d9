"""Calls in, latency scores out."""

import msgspec

from schemas.messages import Call
from schemas.topics import CALLS, SCORES
from services.latency import metrics
from services.latency.config import Config
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.shared.errors import Unusable
from services.shared.pipeline import Pipeline
from services.shared.scoring import failures


def build(config: Config) -> Pipeline[Call]:
    """The pipeline."""
    loaded = scorer(config)
    return Pipeline(
        "latency",
        reads=CALLS,
        writes=SCORES,
        handle=lambda calls: metrics.SCORES.counted(loaded.score(calls)),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded, call, error)),
    )


def scorer(config: Config) -> LatencyScorer:
    """The scorer, with its price list; `Unusable` where the list is none."""
    try:
        return LatencyScorer(Prices.load(config.prices))
    except (msgspec.MsgspecError, OSError) as error:
        remedy = "correct it or unset TIDEMARK_LATENCY_PRICES"
        raise Unusable(f"{config.prices} is no price list: {error}; {remedy}") from error
