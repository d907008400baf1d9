"""Starts hallucination: `python -m services.hallucination`."""

from services.hallucination.app import build
from services.hallucination.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
