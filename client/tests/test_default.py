"""The functions of the package where nobody configured a client."""

import os
import pwd
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import pytest
import tidemark
from tidemark import default

ROOT = Path(__file__).parents[1]


def misspelt(monkeypatch, _folder):
    monkeypatch.setenv("TIDEMARK_SAMPLE_RATE", "x")


def unwritable(monkeypatch, folder):
    (folder / "file").write_text("")
    monkeypatch.setenv("TIDEMARK_LEDGER", str(folder / "file" / "ledger"))


def homeless(monkeypatch, _folder):
    def unknown(_number):
        raise KeyError

    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


REMEDIES = {
    misspelt: "TIDEMARK_SAMPLE_RATE is 'x'",
    unwritable: "ledger cannot be written (File exists), name another file",
    homeless: "spool is not set and there is no home directory: give spool or TIDEMARK_SPOOL",
}
FUNCTIONS = {
    "emit": lambda: UUID(tidemark.emit(prompt="p")),
    "track": lambda: UUID(tracked()),
    "feedback": lambda: UUID(tidemark.feedback("call", kind="thumbs", value=1)),
    "deployment": lambda: tidemark.deployment("unit").version == "unversioned",
    "flush": lambda: tidemark.flush(0.1),
    "stats": lambda: tidemark.stats().queued == 0,
    "client": lambda: UUID(tidemark.client().emit(prompt="p")),
}


def tracked():
    with tidemark.track(prompt="p") as call:
        call.token("t")
    return call.call_id


@pytest.fixture(autouse=True)
def nobody_configured(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("TIDEMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(default, "_default", None)
    yield
    tidemark.close()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("wrong", REMEDIES)
def test_an_environment_that_cannot_work_raises_into_no_application(monkeypatch, tmp_path, caplog, wrong, function):
    wrong(monkeypatch, tmp_path)
    threads = threading.active_count()
    assert all(FUNCTIONS[function]() for _ in range(3))
    (said,) = caplog.records
    assert (said.name, said.levelname) == ("tidemark", "WARNING")
    assert REMEDIES[wrong] in said.message
    assert "tidemark.configure" in said.message
    assert threading.active_count() == threads


@pytest.mark.parametrize("wrong", REMEDIES)
def test_who_makes_a_client_is_told(monkeypatch, tmp_path, wrong):
    wrong(monkeypatch, tmp_path)
    for make in (tidemark.Client, tidemark.configure):
        with pytest.raises((ValueError, OSError)) as refusal:
            make()
        assert REMEDIES[wrong] in str(refusal.value)


def test_what_is_dropped_is_counted_until_there_is_a_client(monkeypatch, tmp_path, gateway):
    misspelt(monkeypatch, tmp_path)
    tidemark.emit(prompt="lost")
    tidemark.feedback("call", kind="thumbs", value=1)
    assert (tidemark.stats().emitted, tidemark.stats().dropped) == (2, 2)
    tidemark.configure(url=gateway.url, version="v1", sample_rate=1.0, linger_seconds=0.01)
    call_id = tidemark.emit(prompt="p")
    assert tidemark.flush(10)
    assert list(gateway.calls) == [call_id]


def test_what_runs_behind_a_client_takes_no_functions_place():
    names = ("deployment", "stats", "client")
    code = (
        "import tidemark\n"
        "tidemark.configure(version='v1', spool=os.devnull)\n"
        f"assert all(callable(getattr(tidemark, name)) for name in {names})"
    )
    subprocess.run([sys.executable, "-c", f"import os\n{code}"], check=True, cwd=ROOT, timeout=60)


def test_an_environment_that_works_makes_the_client(monkeypatch, gateway):
    monkeypatch.setenv("TIDEMARK_URL", gateway.url)
    monkeypatch.setenv("TIDEMARK_VERSION", "v7")
    call_id = tidemark.emit(prompt="p")
    assert tidemark.flush(10)
    assert gateway.calls[call_id]["version"] == "v7"


def test_a_child_that_was_forked_while_the_client_was_made_makes_its_own():
    program = """
import os, signal, tidemark
from tidemark import default
with default._making:  # as a thread that is making the client holds it
    child = os.fork()
    if not child:
        signal.alarm(20)
        tidemark.emit(prompt="p")
        os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
