"""Starts guard: `python -m services.guard`."""

from services.guard.app import build
from services.guard.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
