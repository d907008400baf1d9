"""Old messages parse for ever; a breaking change to a released version fails."""

import copy
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

import schemas
from schemas import export
from schemas.compatibility import breaking_changes
from schemas.messages import Call
from schemas.topics import TOPICS, dead_letters

FOLDER = Path(schemas.__file__).parent
MESSAGES = {topic.name: topic.message for topic in (*TOPICS, dead_letters("any"))}
EXAMPLES = sorted((FOLDER / "examples").glob("*/*/*.json"))
RELEASED = sorted((FOLDER / "released").glob("*.json"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_example_parses_and_keeps_its_meaning(example):
    topic, version = example.parts[-3:-1]
    name = "dlq.any.v1" if topic == "dlq" else f"{topic}.{version}"
    message = MESSAGES[name].decode(example.read_bytes())
    again = json.loads(message.encode())
    given = json.loads(example.read_bytes())
    assert {field: again.get(field) for field in given} == given


def test_every_message_has_an_example():
    assert {path.parts[-3] for path in EXAMPLES} == {name.partition(".")[0] for name in MESSAGES}


def test_examples_are_append_only():
    recorded = dict(line.split("  ")[::-1] for line in (FOLDER / "examples/SHA256SUMS").read_text().splitlines())
    present = {
        str(path.relative_to(FOLDER / "examples")): hashlib.sha256(path.read_bytes()).hexdigest() for path in EXAMPLES
    }
    assert recorded == present, "an example was changed, removed, or added without its line in SHA256SUMS"


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_no_breaking_change_to_a_released_version(released):
    current = json.loads(export.exported()[released.name])
    assert breaking_changes(json.loads(released.read_bytes()), current) == []


def test_every_exported_schema_is_released_and_committed():
    assert {path.name for path in RELEASED} == set(export.exported())
    for name, contents in export.exported().items():
        assert (export.FOLDER / name).read_bytes() == contents, "run `make generate`"


def _changed(change):
    current = copy.deepcopy(export.schema(Call))
    change(current["$defs"]["Call"])
    return breaking_changes(export.schema(Call), current)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda call: call["properties"].pop("response"), "$.response: is gone"),
        (lambda call: call["required"].append("prompt"), "$.prompt: became required"),
        (lambda call: call["properties"]["app"].update(type="integer"), "$.app: type was string, is integer"),
        (lambda call: call["properties"]["app"].update(maxLength=5), "$.app: maxLength became 5"),
        (lambda call: call["properties"]["prompt"]["anyOf"].pop(), "$.prompt: had 2 alternatives, has 1"),
    ],
)
def test_a_breaking_change_is_named(change, complaint):
    assert _changed(change) == [complaint]


def test_a_new_optional_field_breaks_nothing():
    assert _changed(lambda call: call["properties"].update(mood={"type": "string", "default": ""})) == []


def test_unknown_fields_are_ignored_and_unknown_types_refused():
    example = json.loads((FOLDER / "examples/calls/v1/minimal.json").read_bytes())
    assert Call.decode(json.dumps({**example, "from_the_future": 1}).encode()) == Call.decode(
        json.dumps(example).encode()
    )
    with pytest.raises(msgspec.ValidationError):
        Call.decode(json.dumps({**example, "type": "score.v1"}).encode())
