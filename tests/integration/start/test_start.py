"""What keeps a service from starting is one sentence with its remedy, and an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECRET = {"TIDEMARK_SECRET": "s" * 40}


def started(service, folder, **variables):
    """The exit code of a service that cannot start, and what it said."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    port = {f"TIDEMARK_{service.upper()}_HTTP_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={**outside, "TIDEMARK_DATA": str(folder), **port, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def sentence(said):
    """The last line of the log; every line is JSON, so there is no traceback."""
    return [json.loads(line)["message"] for line in said.splitlines()][-1]


@pytest.mark.parametrize("service", ["gateway", "registry", "rollback"])
def test_a_missing_secret(service, tmp_path):
    code, said = started(service, tmp_path)
    assert code == os.EX_UNAVAILABLE
    assert sentence(said).startswith("TIDEMARK_SECRET is not set: set it")


@pytest.mark.parametrize(
    ("service", "setting", "text"),
    [
        ("alerter", "TIDEMARK_ALERTER_RULES", "rules: [{name: x, metric: y, kind: guess}]"),
        ("rollback", "TIDEMARK_ROLLBACK_POLICIES", "policies: [{name: x, colour: red}]"),
        ("latency", "TIDEMARK_LATENCY_PRICES", "{version: x, prices: [{model: m, since: yesterday}]}"),
    ],
)
def test_a_declaration_that_is_wrong_or_missing(service, setting, text, tmp_path):
    file = tmp_path / "mine.yaml"
    code, said = started(service, tmp_path, **SECRET, **{setting: str(file)})
    assert code == os.EX_UNAVAILABLE
    assert str(file) in sentence(said)
    file.write_text(text)
    code, said = started(service, tmp_path, **SECRET, **{setting: str(file)})
    assert code == os.EX_UNAVAILABLE
    assert "mine.yaml" in sentence(said)


@pytest.mark.parametrize("service", ["registry", "gateway"])
def test_a_data_directory_that_is_a_file(service, tmp_path):
    file = tmp_path / "data"
    file.write_text("")
    code, said = started(service, file, **SECRET, TIDEMARK_GATEWAY_SPOOL=str(file / "spool"))
    assert code == os.EX_UNAVAILABLE
    assert str(file) in sentence(said)


@pytest.mark.parametrize(("driver", "named"), [("", "psycopg"), ("+nobodys", "nobodys")])
def test_a_database_whose_driver_is_not_installed(driver, named, tmp_path):
    address = f"postgresql{driver}://user:hidden@127.0.0.1:1/tidemark"
    code, said = started("registry", tmp_path, **SECRET, TIDEMARK_REGISTRY_DATABASE=address)
    assert code == os.EX_UNAVAILABLE
    assert named in sentence(said)
    assert "install psycopg[binary]" in sentence(said)
    assert "hidden" not in said


def test_a_setting_that_is_wrong(tmp_path):
    code, said = started("writer", tmp_path, TIDEMARK_WRITER_BATCH_RECORDS="many")
    assert code == 2
    assert said.startswith("settings: TIDEMARK_WRITER_BATCH_RECORDS (")
    assert "Traceback" not in said


@pytest.mark.embedded
@pytest.mark.parametrize("service", ["embedder", "toxicity", "hallucination"])
def test_a_missing_model(service, tmp_path):
    code, said = started(service, tmp_path, TIDEMARK_MODELS=str(tmp_path / "none"))
    assert code == os.EX_UNAVAILABLE
    assert "run `make setup`" in said
    assert "Traceback" not in said
