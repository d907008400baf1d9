"""`python -m services.registry`."""

from services.registry.app import build
from services.registry.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
