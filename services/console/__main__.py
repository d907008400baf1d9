"""Starts the console: `python -m services.console`."""

from services.console.app import build
from services.console.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
