"""Starts embedder: `python -m services.embedder`."""

from services.embedder.app import build
from services.embedder.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
