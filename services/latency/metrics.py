"""The numbers of latency."""

from services.shared.score_counter import ScoreCounter

SCORES = ScoreCounter("latency")
