"""However the stack ends, no process of it is left and no port is taken."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from services.embedded.control_client import alive
from services.embedded.occupants import taken
from services.embedded.services import NAMES
from tests.support.stack import Stack

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
SERVICES = ("registry", "gateway", "console", "writer", "latency", "rollback")


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path / "data", SERVICES)
    yield made
    made.tidemark("down")


@pytest.fixture
def foreground(stack):
    """`tidemark up` as in a terminal, once everything was started; and whom it started, at any depth."""
    command = [sys.executable, "-c", "from cli.main import main; main()", "up", f"--port-base={stack.ports.base}"]
    command += [f"--without={name}" for name in NAMES if name not in SERVICES]
    environment = {**os.environ, "TIDEMARK_DATA": str(stack.data)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert b"Tidemark runs." in b"".join(process.stdout.readline() for _ in range(2))
    yield process
    process.stdout.close()


def everybody(supervisor):
    return [child.pid for child in psutil.Process(supervisor).children(recursive=True)]


def assert_gone(stack, pids):
    while any(alive(pid) for pid in pids) or taken(stack.ports.all()):  # threads end after their process
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_the_supervisor_ends_everything(stack, foreground, number):
    pids = everybody(foreground.pid)
    assert len(pids) >= len(SERVICES) + 2  # broker and ClickHouse
    foreground.send_signal(number)
    foreground.wait()
    assert_gone(stack, pids)


def test_down_ends_everything(stack, foreground):
    pids = everybody(foreground.pid)
    stack.down()
    foreground.wait()
    assert_gone(stack, pids)


def test_down_ends_a_supervisor_that_hangs(stack, foreground):
    pids = everybody(foreground.pid)
    foreground.send_signal(signal.SIGSTOP)
    done = stack.tidemark("down", "--timeout", "2")
    assert (done.returncode, "killed" in done.stderr) == (0, True)
    foreground.wait()
    assert_gone(stack, pids)


def test_ctrl_c_in_the_middle_of_the_start_ends_everything(stack):
    command = [sys.executable, "-c", "from cli.main import main; main()", "up", f"--port-base={stack.ports.base}"]
    process = subprocess.Popen(
        command, env={**os.environ, "TIDEMARK_DATA": str(stack.data)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while b"broker run" not in process.stderr.readline():
        pass
    pids = everybody(process.pid)
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    process.stderr.close()
    process.wait()
    assert_gone(stack, pids)
