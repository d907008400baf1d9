"""Settings that are not understood stop the process."""

import pytest
from pydantic import Field, ValidationError

from services.shared.settings import ServiceSettings, read


class Config(ServiceSettings, env_prefix="TIDEMARK_WRITER_"):
    """One service's settings."""

    http_port: int = Field(8710, ge=0, le=65_535, description="The port.")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in ("TIDEMARK_DATA", "TIDEMARK_SECRET"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_run_on_a_laptop():
    config = read(Config, {})
    assert (config.service, config.http_host, config.http_port) == ("writer", "127.0.0.1", 8710)
    assert config.group_of("writer") == "writer"


def test_shared_and_own_variables_are_read(monkeypatch):
    monkeypatch.setenv("TIDEMARK_KAFKA_PREFIX", "p.")
    monkeypatch.setenv("TIDEMARK_WRITER_REPLAY", "monday")
    assert read(Config).group_of("writer") == "p.writer.replay.monday"


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        read(Config, {}).http_port = 1


@pytest.mark.parametrize("name", ["TIDEMARK_WRITER_HTTP_PROT", "TIDEMARK_KAFKA_BOOTSTRAPS", "TIDEMARK_WRITERS_X"])
def test_a_misspelt_name_is_refused_with_a_guess(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        read(Config, {name: "1"})
    assert stopped.value.code == 2
    assert f"{name} is no setting; did you mean TIDEMARK_" in capsys.readouterr().err


def test_pydantic_alone_lets_a_misspelt_name_pass(monkeypatch):
    """Its `extra="forbid"` is about files and arguments; when it covers the environment, `read` may be shorter."""
    monkeypatch.setenv("TIDEMARK_WRITER_HTTP_PROT", "1")
    assert Config.model_config["extra"] == "forbid"
    assert Config().http_port == 8710


def test_other_services_variables_are_none_of_ours():
    read(Config, {"TIDEMARK_LATENCY_ANYTHING": "1", "HOME": "/"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIDEMARK_WRITER_HTTP_PORT", "99999999"), ("TIDEMARK_LOG_LEVEL", "LOUD"), ("TIDEMARK_CLICKHOUSE_URL", "ftp://x")],
)
def test_a_bad_value_is_refused_by_name(name, value, monkeypatch, capsys):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read(Config)
    said = capsys.readouterr().err
    assert said.startswith(f"settings: {name} (")


def test_a_secret_is_never_printed(monkeypatch, capsys):
    monkeypatch.setenv("TIDEMARK_SECRET", "hunter2")
    monkeypatch.setenv("TIDEMARK_LOG_LEVEL", "LOUD")
    with pytest.raises(SystemExit):
        read(Config)
    assert "hunter2" not in capsys.readouterr().err
