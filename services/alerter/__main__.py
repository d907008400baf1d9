"""Starts the alerter service: `python -m services.alerter`."""

from services.alerter.app import build
from services.alerter.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    agent, background = build(config)
    run(agent, config, background=background)
