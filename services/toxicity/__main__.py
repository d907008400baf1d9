"""Starts toxicity: `python -m services.toxicity`."""

from services.shared.service import run
from services.shared.settings import read
from services.toxicity.app import build
from services.toxicity.config import Config

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
