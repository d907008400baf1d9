"""The compose file: valid, and the same services as the embedded stack."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.embedded import settings_reference
from services.embedded.kafka.cluster import Cluster
from services.shared.settings import variables

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
FOLDERS = {
    path.name
    for path in (ROOT / "services").iterdir()
    if (path / "__main__.py").exists() and path.name not in {"shared", "embedded"}
}
INFRASTRUCTURE = {"kafka", "clickhouse", "prepare"}


def test_it_is_valid_against_the_compose_schema():
    checker = Path(sys.executable).parent / "check-jsonschema"
    checked = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_it_runs_every_service_and_nothing_else():
    assert set(COMPOSE["services"]) - INFRASTRUCTURE == FOLDERS


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_service_is_started_as_the_supervisor_starts_it(name):
    block = COMPOSE["services"][name]
    assert block["command"] == ["python", "-m", f"services.{name}"]
    assert block["read_only"] is True
    assert block["user"] == "10001:10001"


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_every_setting_it_passes_exists(name):
    config = importlib.import_module(f"services.{name}.config").Config
    passed = {variable for variable in COMPOSE["services"][name]["environment"] if variable.startswith("TIDEMARK_")}
    assert passed <= set(variables(config).values())


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_service_is_healthy_when_it_says_so_on_its_own_port(name):
    block, port = COMPOSE["services"][name], importlib.import_module(f"services.{name}.config").Config().http_port
    assert f"http://127.0.0.1:{port}/health/ready" in block["healthcheck"]["test"][-1]
    assert block["environment"][f"TIDEMARK_{name.upper()}_HTTP_HOST"] == "0.0.0.0"


def test_the_name_of_its_log_has_to_be_given():
    """The image has one for everybody, by which a new log would be taken for the old one."""
    assert COMPOSE["services"]["kafka"]["environment"]["CLUSTER_ID"].startswith("${TIDEMARK_KAFKA_CLUSTER_ID:?")


def test_its_kafka_is_told_what_ours_is_told(tmp_path):
    """Addresses, folders and the log's name aside; the image spells a setting KAFKA_AUTO_CREATE_TOPICS_ENABLE."""
    ours = Cluster.of(tmp_path, [(9092, 9093)], java="java", jars=tmp_path)
    said = ours.properties(ours.nodes[0])
    told = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in COMPOSE["services"]["kafka"]["environment"].items()
        if name != "CLUSTER_ID"
    }
    assert set(told) == set(said)
    places = {"controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"}
    assert {name: told[name] for name in set(told) - places} == {name: said[name] for name in set(said) - places}


def test_the_settings_reference_is_current():
    assert settings_reference.EXAMPLE.read_text() == settings_reference.example(), "run `make generate`"
    assert settings_reference.REFERENCE.read_text() == settings_reference.reference(), "run `make generate`"
