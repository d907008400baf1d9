"""What is said to be shown by a test is shown by one that is there."""

import re

import pytest

from tests.house import tree

TESTS = {function.name for path in tree.python_files() if "tests" in path.parts for function in tree.functions(path)}
FILES = {path.name for path in tree.python_files()} | {path.stem for path in tree.python_files()}


def missing(text: str) -> list[str]:
    """The tests and paths, of the project or below its `tests`, that a text names and that are not there."""
    tests = set(re.findall(r"`(test_\w+(?:\.py)?)`", text)) - TESTS - FILES
    paths = re.findall(r"`(\w+(?:/\w+)+(?:\.\w+)?)`", text)
    return sorted(
        tests | {path for path in paths if not any((tree.ROOT / top / path).exists() for top in ("", "tests"))}
    )


def test_what_is_not_there_is_found():
    text = "`test_nobody_wrote_this`, `test_nowhere.py`, `unit/nowhere`, `house/test_nowhere.py`, `docs/nowhere.md`"
    assert missing(text) == sorted(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("document", ["reference/traps.md", "guarantees.md"])
def test_every_test_and_path_that_a_document_names_is_there(document):
    text = (tree.ROOT / "docs" / document).read_text()
    assert len(set(re.findall(r"`(?:\w+/)*test_\w+(?:\.py)?`", text))) > 40
    assert missing(text) == []
