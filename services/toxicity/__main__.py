"""Starts toxicity: `python -m services.toxicity`."""

from services.shared.service import start
from services.toxicity.app import build
from services.toxicity.config import Config

if __name__ == "__main__":
    start(Config, build)
