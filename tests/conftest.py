"""What every test may use."""

import signal

from hypothesis import settings

from tests.support.broker import broker, kafka, mortal_broker, prefix

__all__ = ["broker", "kafka", "mortal_broker", "prefix"]


settings.register_profile("whatever it takes", deadline=None)  # a busy machine fails no test
settings.load_profile("whatever it takes")


def pytest_configure():
    """A run that is terminated ends as an interrupted one does: what its tests started is stopped."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
