"""What is in hand, of all and of one key."""

import asyncio
from contextlib import ExitStack

import httpx
import pytest
from prometheus_client import REGISTRY

from services.gateway.admission import SHARE, Admission, Most
from services.gateway.gateway import Limits
from services.shared.problem import Problem
from tests.unit.gateway.builders import a_call
from tests.unit.gateway.served import Deployments, Kafka, a_client, an_app


def in_hand():
    return [REGISTRY.get_sample_value(f"tidemark_gateway_in_flight_{what}") for what in ("bytes", "requests")]


def refused():
    return REGISTRY.get_sample_value("tidemark_gateway_refused_total", {"reason": "saturated"}) or 0


def hold(stack, admission, key, size):
    stack.enter_context(admission.entered(key, size))
    stack.enter_context(admission.holding(key, size))


@pytest.mark.parametrize("most", [Most(bytes=1600, requests=1000), Most(bytes=1_000_000, requests=16)])
def test_a_key_alone_has_half_beside_others_a_quarter_and_these_go_on(most):
    admission, before = Admission(most), refused()
    with ExitStack() as held:
        for _ in range(8):
            hold(held, admission, "greedy", 100)
        with pytest.raises(Problem, match="one key may") as caught, ExitStack() as more:
            hold(more, admission, "greedy", 100)
        assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "1"})
        for key in ("a", "b"):
            for _ in range(4):
                hold(held, admission, key, 100)
        assert in_hand() == [1600, 16]
        with pytest.raises(Problem, match="the gateway has"), ExitStack() as more:
            hold(more, admission, "late", 100)
        assert (in_hand(), refused() - before) == ([1600, 16], 2)
    assert in_hand() == [0, 0]
    with ExitStack() as held:
        hold(held, admission, "greedy", 100)


def test_a_key_with_nothing_in_hand_may_begin_with_one_larger_than_its_share():
    admission = Admission(Most(bytes=1000, requests=SHARE - 1))
    with ExitStack() as held:
        hold(held, admission, "one", 900)
        with pytest.raises(Problem, match="one key may"):
            held.enter_context(admission.holding("one", 1))
        with pytest.raises(Problem, match="the gateway has"):
            held.enter_context(admission.holding("other", 101))
    assert in_hand() == [0, 0]


async def test_connections_that_announce_and_send_nothing_keep_no_other_tenant_out():
    async def never():
        await asyncio.Event().wait()
        yield b""

    limits = Limits(largest_body_bytes=1 << 20)
    app = an_app(Kafka(), Deployments(), in_flight_bytes=16 << 20, limits=limits)
    announced = {"Content-Length": str(1 << 20)}
    async with a_client(app) as emitter, a_client(app, "rival") as rival:
        silent = [asyncio.create_task(emitter.post("/v1/calls", content=never(), headers=announced)) for _ in range(16)]
        try:
            answered, _ = await asyncio.wait(silent, timeout=0.5)
            assert {task.result().status_code for task in answered} == {429}
            assert len(answered) == 8
            assert (await rival.post("/v1/calls", json=a_call())).status_code == httpx.codes.OK
            assert (await emitter.post("/v1/calls", json=a_call())).status_code == httpx.codes.TOO_MANY_REQUESTS
        finally:
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)
    assert in_hand() == [0, 0]
