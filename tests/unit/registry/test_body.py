"""Whose body the registry reads, and how much of it."""

import json

import pytest

from services.registry import body
from tests.unit.registry.builders import a_client

CHUNK = b" " * 65_536


class Sent:
    """A body of `chunks` pieces, without its length; it counts those that were asked for."""

    def __init__(self, chunks: int) -> None:
        self.chunks = chunks
        self.asked = 0

    async def __aiter__(self):
        for number in range(1, self.chunks + 1):
            self.asked = number
            yield CHUNK


@pytest.mark.parametrize("credential", ["a stranger's key", " "])
async def test_a_strangers_body_is_not_read(registry, credential):
    sent = Sent(5000)
    async with a_client(registry[0], credential) as stranger:
        answer = await stranger.post("/v1/versions", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401
    assert answer.json()["error"]["field"] == "Authorization"
    assert sent.asked == 0


async def test_of_a_known_senders_body_no_more_is_read_than_is_allowed(caller):
    sent = Sent(5000)
    answer = await caller.post("/v1/versions", content=sent, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (413, "too_large", "body")
    assert error["remedy"]
    assert sent.asked == body.MOST_BYTES // len(CHUNK) + 1


@pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
async def test_the_largest_body_is_taken_whole(caller, more, status):
    bundle = {"app": "shop", "version": "v1", "bundle": {"prompt": ""}}
    bundle["bundle"]["prompt"] = "x" * (body.MOST_BYTES + more - len(json.dumps(bundle)))
    answer = await caller.post("/v1/versions", content=json.dumps(bundle), headers={"Content-Type": "application/json"})
    assert answer.status_code == status


async def test_without_a_body_a_request_passes_as_it_is(registry):
    async with a_client(registry[0], "a stranger's key") as stranger:
        assert (await stranger.get("/openapi.json")).status_code == 200
