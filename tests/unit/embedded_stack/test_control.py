"""The control port: for programs of this machine, orders with the secret only."""

import asyncio

import httpx
import pytest

from services.embedded.control import Orders, application

SECRET = "s3cret"


class Supervisor:
    def __init__(self):
        self.stopped, self.restarted = False, []

    def status(self):
        return {"parts": [{"name": "writer"}]}

    def stop(self):
        self.stopped = True

    async def restart(self, name):
        self.restarted.append(name)


@pytest.fixture
def supervisor():
    return Supervisor()


@pytest.fixture
async def client(supervisor):
    app = application(Orders(supervisor.status, supervisor.stop, supervisor.restart), SECRET)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8706") as made:
        yield made


async def test_status_is_for_everybody_on_this_machine(client):
    assert (await client.get("/status")).json() == {"parts": [{"name": "writer"}]}


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example:8706"}, {"Origin": "http://127.0.0.1:8701"}, {"Host": "127.0.0.1.evil.example:1"}],
)
async def test_what_a_page_could_send_is_refused(client, headers):
    assert (await client.get("/status", headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["/stop", "/restart/writer"])
async def test_an_order_without_the_secret_does_nothing(client, supervisor, path):
    assert (await client.post(path)).status_code == 401
    assert (await client.post(path, headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (supervisor.stopped, supervisor.restarted) == (False, [])


async def test_orders(client, supervisor):
    shown = {"Authorization": f"Bearer {SECRET}"}
    assert (await client.post("/restart/swimmer", headers=shown)).status_code == 404
    assert (await client.post("/restart/writer", headers=shown)).status_code == 202
    assert (await client.post("/stop", headers=shown)).status_code == 202
    await asyncio.sleep(0)
    assert (supervisor.stopped, supervisor.restarted) == (True, ["writer"])
