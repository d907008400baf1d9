"""Three brokers, two of which must have a message: hard bounces of leader and controller."""

import time
from contextlib import suppress

import pytest
from aiokafka.errors import KafkaError

from tests.support.campaign import cluster
from tests.support.campaign.apart import Apart
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
DOWN_SECONDS = 10
ROLES = {"leader": cluster.leader, "controller": lambda kafka: kafka.controller}


def complete(scene):
    with suppress(KafkaError):
        return cluster.complete(scene.place.kafka)
    return False


def bounce(scene, number):
    kafka, (role, who) = scene.place.kafka, list(ROLES.items())[number % 2]
    scene.until(lambda: complete(scene))  # with two away nobody could acknowledge anything
    victim = who(kafka)
    since = time.time()
    kafka.kill(victim)
    scene.say(f"killed the {role}, node {victim}")
    scene.recover(since)  # on the two that are left
    time.sleep(DOWN_SECONDS)
    scene.complaints += [f"the {role} was not replaced"] if who(kafka) == victim else []
    kafka.start()
    return time.time()


def healed(scene):
    if scene.place.restarts:
        scene.complaints.append(f"services ended: {scene.place.restarts}; they were to heal without a restart")


@pytest.mark.timeout(3600)
def test_nothing_is_lost_when_leader_and_controller_bounce(campaign, long):
    strikes = 6 if long else 2
    fault = Fault(
        name="three_brokers",
        broker="kafka (three brokers)",
        target="3 brokers, RF 3, min.isr 2, 5 hard bounces of leader and controller: 0 lost, producers heal",
        place=lambda folder: Apart(folder, brokers=3),
        load=Load(50_000 if long else 8_000, 100),
        schedule=Schedule(strikes),
        strike=bounce,
        afterwards=healed,
        smaller="" if long else f"{strikes} bounces",
    )
    campaign(fault)
