"""`python -m services.gateway`."""

from services.gateway.app import build
from services.gateway.config import Config
from services.shared.service import start

if __name__ == "__main__":
    start(Config, build)
