"""Starts the writer: `python -m services.writer`."""

import pyarrow as pa

from services.shared.service import start
from services.writer.app import build
from services.writer.config import Config

if __name__ == "__main__":
    # Arrow's own pool keeps what was freed; the C library gives it back every minute (`services.shared.collector`).
    pa.set_memory_pool(pa.system_memory_pool())
    start(Config, build)
