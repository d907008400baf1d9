"""Measures of a response's quality, one idea a file."""

from services.quality.quality.measure import Measure, one_by_one
from services.quality.quality.opinion import FEEDBACK, Opinions
from services.quality.quality.scorer import QualityScorer

__all__ = ["FEEDBACK", "Measure", "Opinions", "QualityScorer", "one_by_one"]
