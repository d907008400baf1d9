"""Mergeable windows of scores."""

from services.windower.windower.cell import Cell
from services.windower.windower.partition import Partition, Tally
from services.windower.windower.sums import sketch, sums

__all__ = ["Cell", "Partition", "Tally", "sketch", "sums"]
