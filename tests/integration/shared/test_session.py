"""A session timeout that the broker does not grant: a person has to change it, and is told so."""

import os

import pytest

from schemas.topics import CALLS, SCORES, dead_letters
from services.shared.kafka import Kafka
from tests.support.broker import declare
from tests.support.kafka_broker import Apache
from tests.support.scoring_process import Started

pytestmark = [pytest.mark.embedded, pytest.mark.kafka]


@pytest.fixture(scope="module")
def narrow():
    """A broker that grants sessions of five to eight seconds."""
    broker = Apache(group_min_session_timeout_ms="5000", group_max_session_timeout_ms="8000")
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("seconds", ["2", "45"])
@pytest.mark.parametrize("runtime", ["pipeline", "agent"])
async def test_a_session_that_the_broker_does_not_grant_ends_it_with_the_remedy(
    narrow, prefix, tmp_path, runtime, seconds
):
    kafka = Kafka(narrow.bootstrap, prefix)
    await declare(kafka, CALLS, SCORES, dead_letters("latency"))
    ledger = {"LEDGER": str(tmp_path / "ledger")} if runtime == "agent" else {}
    with Started(kafka, tmp_path, TIDEMARK_LATENCY_SESSION_SECONDS=seconds, **ledger) as started:
        assert started.exit_code(60) == os.EX_UNAVAILABLE, started.log
        assert f"TIDEMARK_LATENCY_SESSION_SECONDS is {seconds}, and the broker grants 5 to 8 s" in started.log
