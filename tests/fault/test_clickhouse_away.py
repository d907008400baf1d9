"""ClickHouse is killed and stays away: the log keeps what is emitted, and the writer catches up."""

import pytest

from tests.support.campaign.apart import Apart
from tests.support.campaign.fault import Fault, away
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]


@pytest.mark.timeout(5400)
def test_nothing_is_lost_while_clickhouse_is_away(campaign, long):
    seconds = 600 if long else 45
    fault = Fault(
        name="clickhouse_away",
        target="ClickHouse away: 0 lost, catch-up ≥ 3 × live rate",
        targets={"catch_up": 3},
        place=Apart,
        load=Load(10_000, 150),
        schedule=Schedule(1),
        strike=away("engine", seconds),
        smaller="" if long else f"away for {seconds} s",
    )
    campaign(fault)
