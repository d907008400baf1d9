"""Kafka is killed and stays away while an application goes on: spooled, then caught up with."""

import pytest

from tests.support.campaign.apart import Apart
from tests.support.campaign.fault import Fault, away
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]


@pytest.mark.timeout(5400)
def test_nothing_is_lost_while_kafka_is_away(campaign, long):
    seconds = 1800 if long else 45
    fault = Fault(
        name="kafka_away",
        target="Kafka away for 30 min under load: 0 lost within the spool; the first minutes are there",
        place=Apart,
        load=Load(10_000, 100 if long else 150),
        schedule=Schedule(1),
        strike=away("kafka", seconds),
        smaller="" if long else f"away for {seconds} s",
    )
    campaign(fault)
