"""The runtimes' suites run on both brokers."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, Tansu
from tests.support.kafka_broker import Apache

BROKERS = {"tansu": Tansu, "kafka": Apache}


@pytest.fixture(scope="session", params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The embedded broker, and Apache Kafka."""
    yield from _started(request.param)


@pytest.fixture
def mortal_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker of one test, which may kill it: the embedded one unless the test asks for `on_both`."""
    yield from _started(getattr(request, "param", "tansu"))


@pytest.fixture(autouse=True)
def _beyond_tansu(request: pytest.FixtureRequest) -> None:
    """What only Apache Kafka can do has to fail on the embedded broker: the day that it does not is news."""
    if (marker := request.node.get_closest_marker("beyond_tansu")) and "tansu" in request.node.callspec.params.values():
        request.applymarker(pytest.mark.xfail(strict=True, reason=marker.args[0]))


def _started(name: str) -> Iterator[Broker]:
    started: Broker = BROKERS[name]()
    started.start()
    yield started
    started.stop()
