"""`python -m services.registry`."""

from services.registry.app import build
from services.registry.config import Config
from services.shared.service import run
from services.shared.settings import read

if __name__ == "__main__":
    config = read(Config)
    app, background = build(config)
    run(app, config, background=background)
