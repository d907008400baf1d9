"""Starts the writer: `python -m services.writer`."""

from services.shared.service import start
from services.writer.app import build
from services.writer.config import Config

if __name__ == "__main__":
    start(Config, build)
