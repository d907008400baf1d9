"""Starts the console: `python -m services.console`."""

from services.console.app import build
from services.console.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
