"""Starts the writer: `python -m services.writer`."""

from services.shared.service import run
from services.shared.settings import read
from services.writer.app import build
from services.writer.config import Config

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
