"""Starts latency: `python -m services.latency`."""

from services.latency.app import build
from services.latency.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
