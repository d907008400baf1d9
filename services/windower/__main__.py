"""Starts the windower: `python -m services.windower`."""

from services.shared.service import start
from services.windower.app import build
from services.windower.config import Config

if __name__ == "__main__":
    start(Config, build)
