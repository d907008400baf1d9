"""What the page answers to requests that make no sense."""

from base64 import b64encode
from datetime import UTC, datetime

import httpx
import pytest

from services.console.app import web
from services.console.config import Config
from services.console.store import TARGETS, Store


def a_browser(store, **settings):
    app = web(store, Config.model_validate(settings), lambda: datetime.now(UTC))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


def nowhere():
    raise AssertionError("the store is not asked")


@pytest.mark.parametrize("moment", ["nan", "inf", "-1", "1e18"])
async def test_a_moment_that_is_none_is_refused(moment):
    async with a_browser(Store(nowhere)) as browser:
        asked = {"target": "t|a|e", "metric": "error", "from": moment}
        assert (await browser.get("/fragments/worst", params=asked)).status_code == 422


@pytest.mark.parametrize("given", ["é".encode("latin-1"), b"a", b"", b64encode(b"\xff"), b64encode(b"tidemark:no")])
async def test_a_password_that_cannot_be_read_is_none(given):
    async with a_browser(Store(nowhere), password="secret") as browser:
        answer = await browser.get("/", headers={"Authorization": b"Basic " + given})
        assert answer.status_code == 401


class Asked:
    """A store's client that counts what it is asked."""

    column_names, result_rows = ("tenant", "app"), [("acme", "shop")]

    def __init__(self):
        self.queries = []

    def query(self, query, **_):
        self.queries.append(query)
        return self


class Noted(Asked):
    """Holds nothing, and notes with what it is asked."""

    result_rows = ()

    def query(self, query, parameters, **_):
        self.queries.append(parameters)
        return self


async def test_the_worst_calls_from_the_first_moment_on_are_not_those_of_the_range():
    noted = Noted()
    async with a_browser(Store(lambda: noted)) as browser:
        asked = {"target": "t|a|e", "metric": "error", "from": "0", "to": "0"}
        assert (await browser.get("/fragments/worst", params=asked)).status_code == 200
    assert noted.queries[0]["start"] == noted.queries[0]["stop"] == datetime.fromtimestamp(0, UTC)


def test_the_applications_are_looked_for_once_in_a_while():
    asked = Asked()
    store = Store(lambda: asked)
    assert store.targets() == store.targets() == [{"tenant": "acme", "app": "shop"}]
    assert asked.queries == [TARGETS]
