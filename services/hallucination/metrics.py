"""The numbers of hallucination."""

from services.shared.score_counter import ScoreCounter

SCORES = ScoreCounter("hallucination")
