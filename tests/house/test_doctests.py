"""The examples in docstrings are true."""

import doctest
import importlib
import re

import pytest

from tests.house import tree


def with_examples():
    """Every module that shows an example, by its name."""
    for path in tree.python_files():
        parts = path.relative_to(tree.ROOT).with_suffix("").parts
        if parts[-1] != "__main__" and re.search(r"^ *>>> ", path.read_text(), re.MULTILINE):
            yield ".".join(parts).removeprefix("client.").removesuffix(".__init__")


@pytest.mark.parametrize("name", [*with_examples()])
def test_what_an_example_says_comes_out(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
