"""Starts the alerter service: `python -m services.alerter`."""

from services.alerter.app import build
from services.alerter.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
