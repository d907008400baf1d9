"""The supervisor over real processes and the real broker."""

import asyncio
import os
import signal
from contextlib import suppress

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from tests.unit.embedded_stack.stack_of_programs import planned, running, until

pytestmark = pytest.mark.embedded


def part(supervisor, name):
    return next(part for part in supervisor.parts if part.launch.name == name)


async def test_everything_is_started_in_order_and_nothing_is_left(tmp_path):
    told = []
    async with running(planned(tmp_path), told) as supervisor:
        assert all(part.state == "ready" for part in supervisor.parts)
        assert supervisor.phase == "running"
        assert (supervisor.prepared.brokers, supervisor.prepared.databases) == (1, 1)
        pids = [part.pid for part in supervisor.parts] + [supervisor.keeper.broker.child.pid]
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    ready = [line.split()[0] for line in told if " is ready " in line]
    assert ready[0] == "clickhouse"
    assert set(ready[1:5]) == {"registry", "gateway", "console", "writer"}
    models = ("toxicity", "hallucination", "embedder")
    assert [name for name in ready if name in models] == [*models]


async def test_a_killed_service_is_started_again(tmp_path):
    async with running(planned(tmp_path)) as supervisor:
        writer = part(supervisor, "writer")
        first = writer.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: writer.pid not in (None, first) and writer.state == "ready")
        assert writer.restarts.count == 1
        assert writer.last_exit == -signal.SIGKILL


async def test_a_dead_broker_is_replaced_by_a_new_run_and_the_consumers_start_again(tmp_path):
    async with running(planned(tmp_path)) as supervisor:
        run, writer, gateway = supervisor.keeper.run, part(supervisor, "writer"), part(supervisor, "gateway")
        before = writer.pid, gateway.pid
        os.kill(supervisor.keeper.broker.child.pid, signal.SIGKILL)
        await until(lambda: supervisor.keeper.run != run and supervisor.keeper.alive and writer.state == "ready")
        assert writer.pid != before[0]
        assert gateway.pid == before[1]
        assert supervisor.prepared.brokers == 2


async def test_a_new_broker_that_does_not_take_its_topics_makes_room_for_the_next_one(tmp_path):
    told = []
    async with running(planned(tmp_path), told) as supervisor:
        run, writer = supervisor.keeper.run, part(supervisor, "writer")
        supervisor.prepared.failures = 1
        os.kill(supervisor.keeper.broker.child.pid, signal.SIGKILL)
        await until(lambda: supervisor.keeper.run != run and supervisor.keeper.alive and writer.state == "ready")
        broker, pid = supervisor.keeper.broker, writer.pid
        await asyncio.sleep(1.0)
        assert (supervisor.keeper.broker, writer.pid, broker.child.running) == (broker, pid, True)
        ours = psutil.Process().children(recursive=True)
        address = f"tcp://127.0.0.1:{broker.port}"
        assert [each.pid for each in ours if address in each.cmdline()] == [broker.child.pid]
    assert supervisor.prepared.brokers == 3


async def test_a_broker_beyond_its_memory_is_replaced(tmp_path):
    plan = planned(tmp_path, {"TIDEMARK_EMBEDDED_BROKER_MEMORY_BYTES": str(16 * 2**20)})
    told = []
    async with running(plan, told) as supervisor:
        run, gateway = supervisor.keeper.run, part(supervisor, "gateway")
        before = gateway.pid
        await fill(plan.bootstrap, mebibytes=24)
        await until(lambda: supervisor.keeper.run != run and supervisor.keeper.alive and gateway.state == "ready")
        assert gateway.pid != before
    assert any("16 are allowed" in line for line in told)


async def fill(bootstrap, *, mebibytes):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("filling", 1, 1)])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=2**21) as producer:
        with suppress(KafkaError):  # it may be replaced before it has all, and its successor has no such topic
            for _ in range(mebibytes):
                await producer.send_and_wait("filling", os.urandom(2**20))
    await admin.close()


async def test_a_part_that_does_not_listen_to_sigterm_is_killed(tmp_path):
    plan = planned(tmp_path, {"TIDEMARK_EMBEDDED_STOP_SECONDS": "0.2"}, words=("stubborn",))
    async with running(plan) as supervisor:
        pids = [part.pid for part in supervisor.parts]
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


async def test_logs_hold_what_the_parts_print(tmp_path):
    async with running(planned(tmp_path)) as supervisor:
        log = part(supervisor, "latency").launch.log
        assert log.read_text().startswith("answering")
        assert log.stat().st_mode & 0o777 == 0o600
