"""What every test may use."""

import signal

from tests.support.broker import broker, kafka, mortal_broker, prefix

__all__ = ["broker", "kafka", "mortal_broker", "prefix"]


def pytest_configure():
    """A run that is terminated ends as an interrupted one does: what its tests started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
