"""Forks, exits and kills of real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BEGIN = """
import os, sys, time
from tidemark import Client
client = Client(url=sys.argv[1], version="v1", spool=sys.argv[2] + "/spool", ledger=sys.argv[2] + "/ledger",
                linger_seconds=0.001, longest_backoff_seconds=0.05)
"""


@pytest.fixture
def process(gateway, tmp_path):
    """Run code in a process of its own, after `client` was made there."""
    started = []

    def start(code, url=None):
        command = [
            sys.executable,
            "-W",
            "error",
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            BEGIN + code,
            url or gateway.url,
            str(tmp_path),
        ]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.communicate()


def test_what_was_emitted_last_is_sent_at_exit(process, gateway, ledger):
    child = process("for number in range(500): client.emit(prompt=str(number))")
    assert child.communicate(timeout=30)[1] == ""
    assert len(gateway.calls) == 500 == len(ledger())


def test_what_cannot_be_sent_at_exit_is_spooled(process, spooled, ledger):
    child = process("for number in range(500): client.emit(prompt=str(number))", url="http://127.0.0.1:9")
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert [call["call_id"] for call in spooled()] == ledger()
    assert len(ledger()) == 500


def test_an_exit_is_bounded_where_the_gateway_never_answers(process, gateway, spooled):
    def silent(events):
        raise ConnectionAbortedError  # the connection closes without an answer

    gateway.answers.extend([silent] * 100)
    child = process("for number in range(50): client.emit(prompt=str(number))")
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert len({call["call_id"] for call in spooled()} | set(gateway.calls)) == 50


def test_an_exception_in_the_application_still_sends(process, gateway):
    process("client.emit(prompt='last'); raise SystemExit(3)").communicate(timeout=30)
    assert len(gateway.calls) == 1


@pytest.mark.parametrize("after", [0, 40, 400])
def test_what_was_acknowledged_survives_a_kill(process, gateway, spooled, ledger, after):
    """The ledger is a promise: each id of it is at the gateway or in the spool, however the process ended."""

    def answer(events):
        return [
            gateway.store("calls", event) if number % 3 else {"call_id": event["call_id"], "status": "retry"}
            for number, event in enumerate(events)
        ]

    gateway.answers.extend([answer, 503] * 1000)
    child = process(
        "print('ready', flush=True)\nwhile True:\n    client.emit(prompt='p' * 200)\n    time.sleep(0.0001)"
    )
    child.stdout.readline()
    gateway.wait(lambda: len(gateway.calls) > after and len(ledger()) > after)
    child.kill()
    child.wait()
    promised = ledger()
    kept = {call["call_id"] for call in spooled()} | set(gateway.calls)
    assert len(promised) == len(set(promised))
    assert set(filter(whole, promised)) <= kept


def whole(line):
    return len(line) == 36


def test_the_next_process_sends_what_a_killed_one_left(process, gateway, spooled, ledger, make_client):
    gateway.answers.append((503, {"Retry-After": "300"}))
    child = process(
        "for number in range(50): client.emit(prompt=str(number))\nclient.flush(20)\nos.kill(os.getpid(), 9)"
    )
    child.communicate(timeout=30)
    assert len(spooled()) == 50
    client = make_client(app="default")
    gateway.wait(lambda: len(gateway.calls) == 50)
    assert sorted(gateway.calls) == sorted(ledger())
    assert client.flush(10)
    assert client.stats().acknowledged == 0


def test_a_forked_child_goes_on_under_a_number_of_its_own(process, gateway):
    child = process(
        "client.emit(prompt='parent')\n"
        "children = []\n"
        "for number in range(3):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        for _ in range(20): client.emit(prompt=f'child {number}')\n"
        "        sys.exit()\n"
        "    children.append(pid)\n"
        "codes = [os.waitpid(pid, 0)[1] for pid in children]\n"
        "client.emit(prompt='parent')\n"
        "print(codes)"
    )
    out, errors = child.communicate(timeout=30)
    assert (out, errors) == ("[0, 0, 0]\n", "")
    assert len(gateway.calls) == len(gateway.arrivals) == 62
    by_instance = {}
    for call in gateway.calls.values():
        by_instance.setdefault((call["client_instance"], call["prompt"]), []).append(call["sequence"])
    assert sorted(sorted(numbers) for numbers in by_instance.values()) == [[0, 1], *[list(range(20))] * 3]


def test_a_fork_while_threads_emit_neither_hangs_nor_repeats(process, gateway, spooled):
    child = process(
        "import threading\n"
        "over = threading.Event()\n"
        "def work():\n"
        "    while not over.is_set(): client.emit(prompt='thread'); time.sleep(0.0005)\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "for number in range(10):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        client.emit(prompt='child'); client.close(); os._exit(0)\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
        "over.set()\n"
        "for thread in threads: thread.join()"
    )
    assert "Error" not in child.communicate(timeout=60)[1]
    kept = {call["call_id"]: call for call in [*gateway.calls.values(), *spooled()]}
    assert sum(call["prompt"] == "child" for call in kept.values()) == 10
    assert len(gateway.arrivals) == len(set(gateway.arrivals))


def test_a_parent_that_dies_leaves_its_spool_though_its_child_lives(process, gateway, spooled, make_client):
    gateway.answers.append((503, {"Retry-After": "300"}))
    child = process(
        "client.emit(prompt='parent'); client.flush(20)\n"
        "if os.fork() == 0:\n"
        "    sys.stdin.read(); os._exit(0)\n"
        "os.kill(os.getpid(), 9)"
    )
    child.wait(30)
    make_client(app="default")
    gateway.wait(lambda: len(gateway.calls) == 1)


def test_a_fork_while_a_segment_is_closed_leaves_a_child_that_sends(process, gateway):
    gateway.answers.append((503, {"Retry-After": "300"}))
    child = process(
        "close = os.close\n"
        "def fork_behind(file):\n"
        "    close(file)\n"
        "    os.close = close\n"
        "    if os.fork() == 0:\n"
        "        client.emit(prompt='child')\n"
        "        os._exit(7 if client.flush(10) else 1)\n"
        "client.emit(prompt='parent'); client.flush(10)\n"
        "spool = client._background.sender.parts.spool\n"
        "assert spool._open\n"
        "os.close = fork_behind\n"
        "spool._seal()\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)\n"
        "os._exit(0)"
    )
    out, errors = child.communicate(timeout=30)
    assert out == "7\n"
    assert "Bad file descriptor" not in errors
    assert "child" in {call["prompt"] for call in gateway.calls.values()}


def test_a_fork_after_the_end_closes_nothing_of_the_application(process, gateway):
    child = process(
        "client.emit(prompt='p'); client.close()\n"
        "files = [os.open('/dev/null', os.O_RDONLY) for _ in range(20)]\n"
        "if os.fork() == 0:\n"
        "    for file in files: os.fstat(file)\n"
        "    client.emit(prompt='too late')\n"
        "    os._exit(7 if client.stats().dropped == 1 else 1)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))"
    )
    assert child.communicate(timeout=30) == ("7\n", "")
    assert len(gateway.calls) == 1


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_a_worker_of_multiprocessing_sends_before_it_ends(process, gateway, tmp_path, way):
    script = tmp_path / "script.py"
    script.write_text(
        BEGIN + "import multiprocessing\n"
        "def work(number): client.emit(prompt=f'worker {number}')\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context('{way}')\n"
        "    workers = [context.Process(target=work, args=(number,)) for number in range(3)]\n"
        "    for worker in workers: worker.start()\n"
        "    for worker in workers: worker.join()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, script, gateway.url, tmp_path], env=environment, check=True, timeout=60)
    assert sorted(call["prompt"] for call in gateway.calls.values()) == ["worker 0", "worker 1", "worker 2"]


def test_a_call_that_is_emitted_while_the_interpreter_ends(process, gateway):
    child = process("import atexit\natexit.register(lambda: client.emit(prompt='late'))")
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert len(gateway.calls) == 1


def test_a_child_that_cannot_work_says_so_and_lets_the_application_go_on(process, tmp_path):
    child = process(
        "client.settings.ledger = client.settings.spool / 'file' / 'ledger'\n"
        "client.settings.spool.mkdir(parents=True, exist_ok=True)\n"
        "(client.settings.spool / 'file').write_text('')\n"
        "if os.fork() == 0:\n"
        "    client.emit(prompt='p')\n"
        "    with client.track(prompt='p') as call: call.token('t')\n"
        "    client.feedback(call.call_id, kind='thumbs', value=1)\n"
        "    sys.exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))"
    )
    out, errors = child.communicate(timeout=30)
    assert out == "7\n"
    assert "cannot work in this process" in errors
