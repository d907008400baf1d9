"""Starts hallucination: `python -m services.hallucination`."""

from services.hallucination.app import build
from services.hallucination.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
