"""Starts the drift service: `python -m services.drift`."""

from services.drift.app import build
from services.drift.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
