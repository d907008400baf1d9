"""Starts quality: `python -m services.quality`."""

from services.quality.app import build
from services.quality.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
