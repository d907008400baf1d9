"""What a view promises, on a real broker."""

import pytest

from schemas.ids import derived_id
from schemas.messages import Deployment, Target
from schemas.topics import DEPLOYMENTS
from services.shared.kafka import Kafka
from services.shared.view import View
from tests.support.broker import declare, eventually, put
from tests.support.messages import CALLED_AT
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded


def a_deployment(app: str, revision: int) -> Deployment:
    target = Target(tenant="t", app=app, environment="e")
    return Deployment(
        deployment_id=derived_id("deployment", target.key, revision),
        target=target,
        revision=revision,
        version=f"v{revision}",
        version_hash="h",
        deployed_at=CALLED_AT,
        deployed_by="somebody",
    )


async def test_holds_the_newest_of_each_key_and_follows(kafka, tmp_path):
    await declare(kafka, DEPLOYMENTS)
    await put(kafka, DEPLOYMENTS, [a_deployment("a", n).encode() for n in (1, 2)] + [a_deployment("b", 1).encode()])
    view = View(DEPLOYMENTS)
    process = a_process(kafka, tmp_path)
    async with running(view, process):
        await eventually(view.ready.is_set)
        assert {key: each.version for key, each in view.items().items()} == {"t|a|e": "v2", "t|b|e": "v1"}
        assert process.health.is_ready
        await put(kafka, DEPLOYMENTS, [b"garbage", a_deployment("b", 2).encode()])
        await eventually(lambda: view.get("t|b|e").version == "v2")
    assert view.get("t|c|e") is None


async def test_is_ready_on_an_empty_topic(kafka, tmp_path):
    await declare(kafka, DEPLOYMENTS)
    view = View(DEPLOYMENTS)
    async with running(view, a_process(kafka, tmp_path)):
        await eventually(view.ready.is_set)
    assert view.items() == {}


async def test_keeps_what_it_knows_and_reads_the_log_of_a_new_broker(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, DEPLOYMENTS)
    await put(kafka, DEPLOYMENTS, [a_deployment("a", 1).encode(), a_deployment("b", 1).encode()])
    view = View(DEPLOYMENTS)
    async with running(view, a_process(kafka, tmp_path)):
        await eventually(view.ready.is_set)
        mortal_broker.restart_empty()
        assert view.get("t|a|e").version == "v1"
        await declare(kafka, DEPLOYMENTS)
        await put(kafka, DEPLOYMENTS, [a_deployment("a", 2).encode()])
        await eventually(lambda: view.get("t|a|e").version == "v2", 60)
        assert view.get("t|b|e").version == "v1"
