"""`tidemark approve` on the state of a rollback service that waits."""

import json

import msgspec
import pytest

from cli.main import main
from schemas.messages import Outcome
from tests.unit.rollback.scene import POLICY, an_alert


@pytest.fixture
def waiting(stage, tmp_path):
    """A service with one decision that waits, in a data directory."""
    (tmp_path / "state").symlink_to(tmp_path)
    scene = stage(msgspec.structs.replace(POLICY, approval="manual"))
    scene.record(an_alert(), seconds=11)
    scene.step(12)
    return scene


@pytest.fixture
def approve(tmp_path, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["approve", "--data", str(tmp_path), *arguments])
        return ended.value.code, capsys.readouterr()

    return run


def test_what_waits_is_listed_and_approved_by_its_beginning(waiting, approve):
    code, printed = approve("--json")
    (listed,) = json.loads(printed.out)["waiting"]
    assert (code, listed["from_version"], listed["to_version"]) == (0, "v2", "v1")
    code, printed = approve(listed["decision_id"][:8], "--by", "ann")
    assert (code, "approved" in printed.out) == (0, True)
    waiting.step(20)
    assert waiting.states() == ["proposed", "approved", "executing"]
    assert waiting.sent(Outcome)[1].actor == "ann"


def test_what_does_not_wait_cannot_be_approved(waiting, approve):
    code, printed = approve("ffff")
    assert (code, "0 decisions that wait" in printed.err) == (1, True)
    assert waiting.states() == ["proposed"]


def test_without_a_rollback_there_is_nothing_to_approve(approve):
    code, printed = approve()
    assert (code, "no state" in printed.err) == (2, True)
