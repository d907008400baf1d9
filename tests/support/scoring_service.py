"""A small service as a process of its own: `python -m tests.support.scoring_service`."""

import os
import time

from schemas.topics import CALLS, SCORES
from services.shared.pipeline import Pipeline
from services.shared.service import run
from services.shared.settings import ServiceSettings, read
from tests.support.messages import a_score_of


class Config(ServiceSettings, env_prefix="TIDEMARK_LATENCY_"):
    """Settings of the service."""


def score(calls):
    """Slow enough to be killed in the middle of a batch."""
    time.sleep(float(os.environ.get("SLOW_SECONDS", "0")))
    return [a_score_of(call) for call in calls]


if __name__ == "__main__":
    config = read(Config)
    run(Pipeline("latency", reads=CALLS, writes=SCORES, handle=score), config)
