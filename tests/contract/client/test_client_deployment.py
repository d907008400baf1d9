"""The client reads what the registry publishes and the gateway hands on."""

import json
from datetime import UTC, datetime

from tidemark.deployment import Answer

from schemas.ids import uuid7
from schemas.messages import Deployment, Target


def published(**more):
    deployment = Deployment(
        deployment_id=uuid7(),
        target=Target(tenant="acme", app="support", environment="production"),
        revision=7,
        version="v2",
        version_hash="abc",
        deployed_at=datetime.now(UTC),
        deployed_by="ada",
        **more,
    )
    return Answer(json.loads(deployment.encode()), "gateway")


def test_a_plain_deployment():
    assert published(bundle={"model": "m"}).deployment(None) == ("v2", {"model": "m"}, 7, None, "gateway")


def test_an_experiment():
    answer = published(weights={"v1": 0.5, "v2": 0.5})
    arms = {answer.deployment(f"user {number}").arm for number in range(50)}
    assert arms == {"v1", "v2"}
    assert all(answer.deployment(f"user {number}").version in arms for number in range(50))
