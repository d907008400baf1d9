"""ClickHouse is killed the moment that an insert writes its part."""

import time

import pytest

from tests.support.campaign.apart import Apart
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
UNFINISHED = "tmp_insert_*"  # the directory that a part has until it is whole


def kill_in_mid_insert(scene, number):
    engine = scene.place.engine
    # To this depth: below lie parts, which come and go while somebody looks.
    tables = [place.parent for place in engine.data.glob("clickhouse/store/store/*/*/format_version.txt")]
    while not (seen := next((part for table in tables for part in table.glob(UNFINISHED)), None)):
        continue
    since = time.time()
    engine.kill()
    scene.say(f"killed while {seen.name} was being written")
    scene.more["killed_in_mid_insert"] = scene.more.get("killed_in_mid_insert", 0) + seen.exists()
    engine.start()
    return since


def mostly_in_mid_insert(strikes):
    """An insert may end between the look and the kill, so a strike can miss; where most do, nothing is shown."""

    def judge(scene):
        hit = scene.more.get("killed_in_mid_insert", 0)
        scene.complaints += [f"killed in mid-insert: {hit} of {strikes} times"] if 2 * hit < strikes else []

    return judge


@pytest.mark.timeout(5400)
def test_nothing_is_lost_when_clickhouse_is_killed_in_mid_insert(campaign, long):
    strikes = 200 if long else 10
    fault = Fault(
        name="clickhouse_killed",
        target="ClickHouse killed in mid-insert × 200: 0 lost",
        place=Apart,
        load=Load(10_000, 150),
        schedule=Schedule(strikes, 0.5, 2.0),
        strike=kill_in_mid_insert,
        afterwards=mostly_in_mid_insert(strikes),
        smaller="" if long else f"{strikes} kills",
    )
    campaign(fault)
