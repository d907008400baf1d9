"""Starts the rollback service: `python -m services.rollback`."""

from services.rollback.app import build
from services.rollback.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    agent, background = build(config)
    run(agent, config, background=background)
