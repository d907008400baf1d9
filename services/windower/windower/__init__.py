"""Mergeable windows of scores."""

from services.windower.windower.cell import Cell
from services.windower.windower.message import Measured, Span
from services.windower.windower.partition import Partition, Tally
from services.windower.windower.rebuild import Known, Place, Rebuild, Rebuilt
from services.windower.windower.sums import sketch, sums

__all__ = ["Cell", "Known", "Measured", "Partition", "Place", "Rebuild", "Rebuilt", "Span", "Tally", "sketch", "sums"]
