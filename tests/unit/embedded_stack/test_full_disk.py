"""No room on the disk, no room for a process: it passes, and nothing has stopped for good."""

import sys
from pathlib import Path

import psutil
import pytest

from services.embedded import supervisor as supervising
from services.embedded.broker import Broker, BrokerError, InMemory
from services.embedded.journal import Journal
from services.embedded.part import Launch, Part
from services.embedded.preparation import PreparationError
from services.embedded.supervisor import Supervisor
from tests.unit.embedded_stack.stack_of_programs import Prepared, planned, running, until

FULL = Path("/dev/full")


def test_a_sentence_that_finds_no_room_is_lost_without_harm():
    Journal(FULL)("the writer is ready")


async def test_a_part_that_cannot_be_started_is_tried_again_until_it_can(tmp_path):
    told, log = [], tmp_path / "logs" / "part.log"
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    part = Part(Launch("part", command, {}, log, 1, "http://127.0.0.1:1"), told.append)
    part.release()
    await until(lambda: told)
    assert "could not be started" in told[0]
    log.parent.mkdir()
    await until(lambda: part.pid)
    await part.stop(0)
    assert part.state == "stopped"


async def test_a_part_that_cannot_be_started_can_be_stopped(tmp_path):
    told = []
    part = Part(Launch("part", ("true",), {}, tmp_path / "logs" / "part.log", 1, "http://127.0.0.1:1"), told.append)
    part.release()
    await part.stop(0)
    part.release()
    await until(lambda: told)
    await part.stop(0)
    assert (part.state, part.pid) == ("stopped", None)


async def test_a_broker_without_room_for_its_log_is_said_so(tmp_path):
    with pytest.raises(BrokerError, match="could not be started"):
        await Broker.start(InMemory(1), {}, tmp_path / "logs" / "broker.log")


@pytest.mark.embedded
async def test_what_looks_after_logs_and_parts_goes_on_and_nothing_is_left_at_the_end(tmp_path, monkeypatch):
    def full(log, max_bytes):
        raise OSError(28, "No space left on device", str(log))

    monkeypatch.setattr(supervising, "rotate", full)
    monkeypatch.setattr(supervising, "_ROTATE_SECONDS", 0.01)
    async with running(planned(tmp_path)) as supervisor:
        pids = [part.pid for part in supervisor.parts]
        assert not any(task.done() for task in supervisor._background)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


@pytest.mark.embedded
async def test_a_start_that_fails_leaves_nothing_either(tmp_path):
    class Failing(Prepared):
        async def clickhouse(self):
            raise PreparationError("no tables")

    supervisor = Supervisor(planned(tmp_path), Failing(), lambda _: None)
    with pytest.raises(PreparationError, match="no tables"):
        await supervisor.run()
    assert supervisor.clickhouse.state == "stopped"
    assert not supervisor.keeper.broker.child.running
