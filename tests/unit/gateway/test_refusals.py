"""The numbers of refused calls are told before the refusal is."""

import pytest

from schemas.messages import Refusal
from services.gateway.gateway import CALL
from services.gateway.intake import Intake
from services.shared.object_store import Folder
from tests.unit.gateway.builders import LIMITS, NOW, a_call, raw

NUMBERED = a_call(app=7, client_instance="0199", sequence=4)


class Kafka:
    """Takes calls; numbers of refused ones only unless they are unwanted."""

    def __init__(self):
        self.log, self.unwanted = [], ""

    async def send_all(self, entries):
        taken = [entry.topic != self.unwanted for entry in entries]
        self.log += [entry for entry, acknowledged in zip(entries, taken, strict=True) if acknowledged]
        return taken


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def verdicts_on(kafka, tmp_path):
    intake = Intake(kafka, None, LIMITS, lambda: NOW, payloads=Folder(tmp_path))

    async def accepted(*calls):
        return [verdict.status for verdict in await intake.accept([raw(call) for call in calls], CALL, "acme")]

    return accepted


async def test_the_number_is_told_and_nothing_else(verdicts_on, kafka):
    assert await verdicts_on(NUMBERED, a_call()) == ["rejected", "stored"]
    told = Refusal.decode(kafka.log[0].value)
    expected = Refusal(tenant="acme", client_instance="0199", sequence=4, field="app", refused_at=NOW)
    assert ([entry.topic for entry in kafka.log], told) == (["refusals.v1", "calls.v1"], expected)


@pytest.mark.parametrize(
    "number",
    [{}, {"client_instance": "", "sequence": 4}, {"client_instance": "0199", "sequence": -1}, {"client_instance": 5}],
)
async def test_a_call_without_a_number_is_refused_all_the_same(verdicts_on, kafka, number):
    assert await verdicts_on(a_call(app=7, **number)) == ["rejected"]
    assert kafka.log == []


async def test_no_call_is_refused_before_its_number_is_told(verdicts_on, kafka):
    kafka.unwanted = "refusals.v1"
    assert await verdicts_on(NUMBERED, a_call(app=7), a_call()) == ["retry", "rejected", "stored"]
