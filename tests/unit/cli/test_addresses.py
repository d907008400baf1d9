"""Addresses: a password with any character works percent-encoded and is never printed; an empty one is none."""

import json
from types import SimpleNamespace

import httpx
import pytest

from cli.main import main
from services.embedded import connection, letter_store
from services.embedded.data_directory import DataDirectory
from services.embedded.letters import Filter
from services.embedded.services import Ports
from services.shared import clickhouse
from services.shared.settings import SharedSettings

ILLEGIBLE = "http://u:hunter2/x@127.0.0.1:8123"
ENCODED = "http://a%40b:hunter%2F%23%3F2@127.0.0.1:1"


@pytest.mark.parametrize("named", ["option", "variable"])
@pytest.mark.parametrize("command", [["query", "SELECT 1"], ["migrate"]])
def test_an_address_that_cannot_be_read_is_told_in_one_line(command, named, monkeypatch, capsys):
    if named == "variable":
        monkeypatch.setenv("TIDEMARK_CLICKHOUSE_URL", ILLEGIBLE)
    with pytest.raises(SystemExit) as ended:
        main(command if named == "variable" else [*command, "--url", ILLEGIBLE])
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n"), "the password percent-encoded" in said) == (2, 1, True)
    assert "hunter2" not in said


def test_user_and_password_reach_clickhouse_as_they_are(monkeypatch):
    given = {}
    made = SimpleNamespace(server_settings={})
    monkeypatch.setattr("clickhouse_connect.get_client", lambda **parts: given.update(parts) or made)
    clickhouse.client(SharedSettings(clickhouse_url=ENCODED))
    assert (given["username"], given["password"]) == ("a@b", "hunter/#?2")


def test_dead_letters_are_asked_for_with_user_and_password_as_they_are(monkeypatch):
    given = {}
    monkeypatch.setattr("httpx.post", lambda *_, **parts: given.update(parts) or httpx.Response(200))
    assert letter_store.stored(ENCODED, "tidemark", Filter()) == []
    assert given["auth"] == ("a@b", "hunter/#?2")


@pytest.mark.parametrize("silence", [None, ""])
def test_an_empty_variable_names_no_other_stack_than_the_one_that_runs(silence, monkeypatch, tmp_path):
    monkeypatch.setattr(DataDirectory, "in_use", lambda _: True)
    monkeypatch.setattr(DataDirectory, "description", lambda _: {"port_base": 9500})
    for name in ("TIDEMARK_CLICKHOUSE_URL", "TIDEMARK_KAFKA_BOOTSTRAP"):
        monkeypatch.delenv(name, raising=False) if silence is None else monkeypatch.setenv(name, silence)
    found, ports = connection.settings(tmp_path), Ports(9500)
    assert found.kafka_bootstrap == f"127.0.0.1:{ports.broker}"
    assert found.clickhouse_url == f"http://127.0.0.1:{ports.clickhouse}"
    assert connection.readonly_url(tmp_path) == f"http://127.0.0.1:{ports.clickhouse_readonly}"


def test_without_a_stack_and_without_an_address_the_doctor_asks_nobody(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TIDEMARK_KAFKA_BOOTSTRAP", "")
    monkeypatch.delenv("TIDEMARK_CLICKHOUSE_URL", raising=False)
    with pytest.raises(SystemExit):
        main(["doctor", "--json", "--data", str(tmp_path)])
    about = {each["about"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert "ports" in about
    assert "broker" not in about
