"""Which proxy the libraries would take, by their own functions."""

import os
import subprocess
import sys
from urllib.request import getproxies, proxy_bypass

import httpx
import pytest
from clickhouse_connect.driver.httputil import check_env_proxy

from services.embedded.config import Config, Environment
from services.embedded.data_directory import DataDirectory
from services.embedded.loopback import reached_directly

PROXY = "http://proxy.example:3128"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def through_a_proxy(host: str) -> dict[str, bool]:
    with httpx.Client() as client:
        by_httpx = client._transport_for_url(httpx.URL(f"http://{host}:8703/")) is not client._transport
    return {
        "urllib": "http" in getproxies() and not proxy_bypass(f"{host}:8703"),
        "httpx": by_httpx,
        "clickhouse-connect": check_env_proxy("http", host, 8703) is not None,
    }


@pytest.fixture
def surroundings(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def enter(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return enter


@pytest.mark.parametrize("spelling", ["http_proxy", "HTTP_PROXY"])
@pytest.mark.parametrize("kept", [{}, {"no_proxy": "intern.example"}, {"NO_PROXY": "intern.example, "}])
def test_this_machine_is_reached_directly_and_every_other_host_as_before(surroundings, spelling, kept):
    surroundings({spelling: PROXY, **kept})
    before = {host: through_a_proxy(host) for host in ("store.example", "intern.example")}
    assert all(through_a_proxy("127.0.0.1").values())
    surroundings(reached_directly(os.environ))
    assert not any((through_a_proxy("127.0.0.1") | through_a_proxy("localhost")).values())
    assert {host: through_a_proxy(host) for host in before} == before
    assert all(before["store.example"].values())


def test_no_proxy_for_anybody_stays_so(surroundings):
    surroundings({"http_proxy": PROXY, "no_proxy": "*"})
    surroundings(reached_directly(os.environ))
    assert not any((through_a_proxy("127.0.0.1") | through_a_proxy("store.example")).values())


def test_doing_it_twice_is_doing_it_once():
    once = reached_directly({"NO_PROXY": "intern.example"})
    assert reached_directly(once) == once


def test_every_process_of_the_stack_reaches_this_machine_directly(surroundings, tmp_path):
    outside = {"http_proxy": PROXY}
    surroundings(Environment(Config(), DataDirectory(tmp_path), outside, durable=False).process(2))
    assert not any(through_a_proxy("127.0.0.1").values())


@pytest.mark.parametrize("program", ["import cli.main as p; p.main(['--help'])", "import demo.__main__ as p; p.main()"])
def test_the_command_line_and_the_demo_reach_this_machine_directly(program):
    told = {"http_proxy": PROXY, "DEMO_SECONDS": "none"}  # the demo asks for a number, and ends
    printed = f"import atexit, os; atexit.register(lambda: print(os.environ.get('no_proxy')))\n{program}"
    outside = {name: value for name, value in os.environ.items() if name.lower() not in NAMES} | told
    done = subprocess.run([sys.executable, "-c", printed], env=outside, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "127.0.0.1,localhost"
