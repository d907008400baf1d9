"""Emit the calls of a large language model to Tidemark: never raises, never blocks, never waits."""

from tidemark.client import Client
from tidemark.default import client, close, configure, deployment, emit, feedback, flush, stats, track
from tidemark.release import __version__

__all__ = [
    "Client",
    "__version__",
    "client",
    "close",
    "configure",
    "deployment",
    "emit",
    "feedback",
    "flush",
    "stats",
    "track",
]
