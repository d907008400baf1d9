"""`python -m services.gateway`."""

from services.gateway.app import build
from services.gateway.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    app, background = build(config)
    run(app, config, background=background)
