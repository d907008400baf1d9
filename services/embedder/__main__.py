"""Starts embedder: `python -m services.embedder`."""

from services.embedder.app import build
from services.embedder.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
