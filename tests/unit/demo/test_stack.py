"""Where the demo's stack goes, and when it ends."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from demo import stack
from services.embedded.control_client import alive
from services.embedded.data_directory import DataDirectory
from services.embedded.services import Ports
from tests.unit.embedded_stack.stack_of_programs import free_base, until


def test_a_base_of_which_one_port_is_taken_is_passed_over(monkeypatch, tmp_path):
    first = free_base()
    second = next(base for base in iter(free_base, None) if abs(base - first) > 100)
    monkeypatch.setattr(stack, "BASES", (first, second))
    with socket.create_server(("127.0.0.1", max(Ports(first).all().values()))):
        assert stack.Stack(tmp_path, {}).addresses.base == second


def test_the_data_of_a_demo_that_runs_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(stack.subprocess, "Popen", None)  # nothing is started, whatever becomes of the test
    with DataDirectory(tmp_path).locked():
        with pytest.raises(stack.StackError, match="another demo runs on"):
            stack.Stack(tmp_path, {}).start()
        assert (tmp_path / "supervisor.lock").exists()


async def test_the_stack_ends_with_a_demo_that_is_killed(tmp_path):
    supervisor = tmp_path / "tidemark"
    supervisor.write_text("#!/bin/sh\nexec sleep 60\n")
    supervisor.chmod(0o700)
    program = f"""
import os, signal, sys
from pathlib import Path
from demo.stack import Stack
sys.executable = {str(tmp_path / "python")!r}
stack = Stack(Path({str(tmp_path / "data")!r}), {{}})
stack.start()
print(stack.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    pid = int(killed.stdout)
    try:
        await until(lambda: not alive(pid), seconds=5)
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_stack_is_stopped_in_order_whoever_ends_the_demo(number):
    program = f"""
import signal
from types import SimpleNamespace
from demo import __main__ as demo
demo.Stack = lambda *_: SimpleNamespace(stop=lambda: print("stopped"))

class Conductor:
    def __init__(self, stack, story, stop):
        self.stop = stop

    def run(self, seconds):
        signal.raise_signal({int(number)})
        assert self.stop.wait(1)
        raise demo.StackError("it ends")

demo.Conductor = Conductor
raise SystemExit(demo.main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (2, "stopped"), ended.stderr
