"""Starts latency: `python -m services.latency`."""

from services.latency.app import build
from services.latency.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
