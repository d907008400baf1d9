"""The numbers of toxicity."""

from services.shared.score_counter import ScoreCounter

SCORES = ScoreCounter("toxicity")
