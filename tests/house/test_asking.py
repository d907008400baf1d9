"""No client of ours has a broker make a topic by asking for it."""

import ast

import pytest

from tests.house import tree

CLIENTS = {"AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "AIOKafkaClient"}
GUARD = "services.shared.kafka"
OURS = {
    ".".join(path.relative_to(tree.ROOT).with_suffix("").parts): ast.parse(path.read_text())
    for path in tree.python_files()
    if path.relative_to(tree.ROOT).parts[0] in {"services", "cli", "demo", "benchmarks"}
}
ASKING = sorted(
    module
    for module, parsed in OURS.items()
    if any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLIENTS
        for node in ast.walk(parsed)
    )
)


def imported(module):
    """The modules of ours that importing `module` imports."""
    for node in ast.walk(OURS[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reaches_the_guard(module, seen):
    if module == GUARD:
        return True
    new = {name for name in imported(module) if name in OURS} - seen
    seen |= new
    return any(reaches_the_guard(name, seen) for name in new)


def test_there_is_something_to_look_at():
    assert {"services.shared.producer", "services.shared.consumer", "services.embedded.replaying"} <= set(ASKING)


@pytest.mark.parametrize("module", ASKING)
def test_who_opens_a_connection_imports_what_makes_it_ask_without_creating(module):
    assert reaches_the_guard(module, {module})


def test_faust_is_set_up_in_one_place_which_declares_nothing():
    set_up = [
        module
        for module, parsed in OURS.items()
        if any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "App"
            for node in ast.walk(parsed)
        )
    ]
    assert set_up == ["services.shared.agent"]
    settings = {node.arg: node.value for node in ast.walk(OURS[set_up[0]]) if isinstance(node, ast.keyword)}
    assert isinstance(settings["topic_allow_declare"], ast.Constant)
    assert settings["topic_allow_declare"].value is False
