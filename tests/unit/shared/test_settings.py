"""Settings that are not understood stop the process."""

import sys
from pathlib import Path
from typing import Self

import pytest
from pydantic import Field, SecretStr, ValidationError, model_validator

from services.shared.errors import Unusable, WrongSettings
from services.shared.object_store import opened
from services.shared.settings import ServiceSettings, SharedSettings, read


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


class Open(ServiceSettings, env_prefix="TIDEMARK_REGISTRY_"):
    """Settings with an address, with a secret that may be absent, and with a rule over several of them."""

    database: str = Field("", pattern=r"^$|^sqlite://", description="The database.")
    key: SecretStr | None = Field(None, min_length=20, description="A key.")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.http_host != "127.0.0.1":
            raise ValueError("beyond loopback a password is needed")
        return self


def said_of(settings, monkeypatch, capsys, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        read(settings)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgres://tide:hunter2@db:5432/tidemark", "not 'postgres://db:5432'"),
        ("postgres://db/tidemark?password=hunter2", "not 'postgres://db'"),
        ("postgres://tide:hunter2@hunter2/x@db", None),
        ("postgres://tide:x/hunter2@db", None),
        ("postgres:tide:hunter2@db", None),
        ("host=db password=hunter2", None),
        ("/var/lib/tidemark", "not '/var/lib/tidemark'"),
    ],
)
def test_of_an_address_only_scheme_and_host_are_printed(given, shown, monkeypatch, capsys):
    said = said_of(Open, monkeypatch, capsys, TIDEMARK_REGISTRY_DATABASE=given)
    assert "hunter2" not in said
    assert (shown in said) if shown else (", not " not in said)
    assert said.startswith("settings: TIDEMARK_REGISTRY_DATABASE (The database.): ")


def test_the_password_of_a_shared_address_is_not_printed(monkeypatch, capsys):
    said = said_of(Open, monkeypatch, capsys, TIDEMARK_CLICKHOUSE_URL="clickhouse://u:hunter2@host:8123/?x=1")
    assert "begins with http:// or https://, not 'clickhouse://host:8123'." in said


@pytest.mark.parametrize(
    "url",
    [
        *("http://u:hunter2/x@db:8123", "http://u:12/hunter2@db:8123", "http://u:#hunter2@db", "http://u:1?hunter2@db"),
        *("http://u:hunter2", "http://[hunter2", "http://db:99999/hunter2", "http://db:0/hunter2", "https://"),
    ],
)
def test_an_address_without_legible_host_and_port_is_refused_and_its_password_not_shown(url, monkeypatch, capsys):
    said = said_of(Open, monkeypatch, capsys, TIDEMARK_CLICKHOUSE_URL=url)
    assert "the password percent-encoded" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://[::1]:8123", "http://[::1]:8123"),
        ("https://u:a%2Fb@db/", "https://u:a%2Fb@db:8443"),
        ("http://db", "http://db:8123"),
        ("http://db:", "http://db:8123"),
        ("http://db/behind/a/proxy", "http://db:8123/behind/a/proxy"),
    ],
)
def test_an_address_with_a_legible_host_is_taken_with_the_port_that_all_ask_at(url, whole):
    assert SharedSettings(clickhouse_url=url).clickhouse_url == whole
    assert SharedSettings(registry_url=url).registry_url == url.rstrip("/")


def test_models_lie_in_the_checkout_from_wherever_one_asks(monkeypatch, tmp_path):
    checkout = tmp_path / "checkout"
    monkeypatch.setattr("services.shared.settings.ROOT", checkout)
    monkeypatch.delenv("TIDEMARK_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert SharedSettings().models == Path("models")
    (checkout / "models").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    assert SharedSettings().models == checkout / "models"
    monkeypatch.setenv("TIDEMARK_MODELS", "mine")
    assert SharedSettings().models == Path("mine")


@pytest.mark.parametrize("brokers", ["kafka-1:9092", "kafka", "a:9092, b:9092", "[::1]:9092", "127.0.0.1:8705"])
def test_brokers_are_hosts_with_ports(brokers):
    assert SharedSettings(kafka_bootstrap=brokers).kafka_bootstrap == brokers


@pytest.mark.parametrize("brokers", ["foo:bar", "", "a:9092,", "http://a:9092"])
def test_what_names_no_broker_is_refused(brokers):
    with pytest.raises(WrongSettings, match="write host:port"):
        SharedSettings(kafka_bootstrap=brokers)


def test_a_rule_over_several_settings_prints_none_of_them(monkeypatch, capsys):
    told = {"TIDEMARK_REGISTRY_HTTP_HOST": "0.0.0.0", "TIDEMARK_SECRET": "hunter2", "TIDEMARK_KAFKA_PREFIX": "p."}
    said = said_of(Open, monkeypatch, capsys, **told)
    assert "beyond loopback a password is needed. Set" in said
    assert "hunter2" not in said
    assert "p." not in said


def test_a_secret_that_may_be_absent_is_one_all_the_same(monkeypatch, capsys):
    assert "hunter2" not in said_of(Open, monkeypatch, capsys, TIDEMARK_REGISTRY_KEY="hunter2")


@pytest.mark.parametrize("url", ["s3://k:hunter2@bucket/x", "ftp://u:hunter2/x@nowhere.invalid", "foo://u:hunter2@h"])
def test_the_address_of_an_object_store_is_told_without_its_password(url, monkeypatch):
    for _ in range(2):
        with pytest.raises(Unusable) as raised:
            opened(url, Path())
        assert "hunter2" not in str(raised.value)
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
