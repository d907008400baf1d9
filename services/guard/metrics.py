"""The numbers of guard."""

from services.shared.score_counter import ScoreCounter

SCORES = ScoreCounter("guard")
