"""Starts the windower: `python -m services.windower`."""

from services.shared.service import run
from services.shared.settings import read
from services.windower.app import build
from services.windower.config import Config

if __name__ == "__main__":
    config = read(Config)
    run(build(config), config)
