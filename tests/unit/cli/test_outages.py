"""What failed is told as itself: only a connection that fails is a store or a broker that does not answer."""

import pytest
import typer
from aiokafka.errors import KafkaConnectionError
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from cli.main import main
from cli.outages import answered
from services.shared.errors import Transient, Unusable


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (KafkaConnectionError("refused"), True),
        (OperationalError("refused"), True),
        (ConnectionRefusedError("refused"), True),
        (TimeoutError(), True),
        (DatabaseError("no such table"), False),
        (PermissionError(13, "Permission denied", "/scores.jsonl"), False),
        (Unusable("prices.yaml is no price list"), False),
        (Transient("the store of payloads is away"), False),
        (ValueError("soon is no time"), False),
    ],
)
def test_only_a_connection_that_fails_is_an_outage(capsys, error, outage):
    with pytest.raises(typer.Exit) as ended, answered():
        raise error
    said = capsys.readouterr().err
    assert (ended.value.exit_code, "do not answer" in said, str(error) in said) == (2, outage, True)


@pytest.mark.parametrize("command", ["recompute", "rescore"])
def test_a_time_that_is_none_is_told_before_anybody_is_asked(monkeypatch, capsys, command):
    monkeypatch.setenv("TIDEMARK_CLICKHOUSE_URL", "http://127.0.0.1:1")
    with pytest.raises(SystemExit) as ended:
        main([command, "--from", "soon"])
    assert (ended.value.code, "soon is no time" in capsys.readouterr().err) == (2, True)


def test_scoring_again_does_not_wait_for_a_broker_that_is_away(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TIDEMARK_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path))
    monkeypatch.setattr("cli.rescore.client", lambda *_, **__: None)
    with pytest.raises(SystemExit) as ended:
        main(["rescore", "--from", "2026-01-01", "--metrics", "duration_seconds"])
    assert (ended.value.code, "do not answer" in capsys.readouterr().err) == (2, True)
