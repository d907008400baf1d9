"""Starts the drift service: `python -m services.drift`."""

from services.drift.app import build
from services.drift.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    fold, deployments = build(config)
    run(fold, config, background=[deployments])
