"""The numbers of quality."""

from prometheus_client import Counter, Gauge

from services.shared.score_counter import ScoreCounter

SCORES = ScoreCounter("quality")
OPINIONS = Counter("tidemark_quality_opinions", "Feedback by what became of it: scored, failed, given_up.", ["result"])
WAITING = Gauge("tidemark_quality_waiting", "Feedback whose call has not been found yet.")
