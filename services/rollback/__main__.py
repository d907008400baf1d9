"""Starts the rollback service: `python -m services.rollback`."""

from services.rollback.app import build
from services.rollback.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
