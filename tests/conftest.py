"""What every test may use."""

from tests.support.broker import broker, kafka, mortal_broker, prefix

__all__ = ["broker", "kafka", "mortal_broker", "prefix"]
