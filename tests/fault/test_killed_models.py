"""SIGKILL of scorers with models, which are behind and take a sample: no call of the sample goes without its scores."""

import signal
from functools import partial

import pytest

from tests.support.campaign import oracle
from tests.support.campaign.fault import Fault, ended
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
MODELS = ("toxicity", "hallucination")
SERVICES = ("registry", "gateway", "writer", "latency", "windower", *MODELS)
VICTIMS = (*MODELS, "writer", "gateway", "clickhouse", "broker")
BEHIND_SECONDS = 5  # whoever is behind by more takes a sample
SETTINGS = {f"TIDEMARK_{name.upper()}_SAMPLING_LAG_SECONDS": BEHIND_SECONDS for name in MODELS}


def kill(scene, number):
    return ended(scene, scene.turn(VICTIMS), signal.SIGKILL)


def every_sample_is_whole(scene):
    oracle.at_rest(scene.place, f"SELECT count() FROM scores WHERE evaluator IN {MODELS}")
    for evaluator in MODELS:
        complaints, figures = oracle.sampled_wrongly(scene.place, evaluator)
        scene.complaints += complaints
        scene.more |= figures
    if all(scene.more[f"{evaluator}_least_rate"] == 1 for evaluator in MODELS):
        scene.complaints.append("no model was behind: nothing was shown of samples")


@pytest.mark.timeout(5400)
def test_no_call_of_the_sample_goes_without_scores(campaign, long):
    fault = Fault(
        name="killed_models",
        target="SIGKILL of a random service every 10–20 s, models sampling: 0 lost, no call of a sample unscored",
        place=partial(OnStack, services=SERVICES, **SETTINGS),
        load=Load(100_000 if long else 10_000, 150),
        schedule=Schedule(24 if long else len(VICTIMS), 2.0, 8.0),
        strike=kill,
        afterwards=every_sample_is_whole,
        smaller="100,000 calls" if long else "10,000 calls",
    )
    campaign(fault)
