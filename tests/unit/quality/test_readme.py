"""The service's README tells of all that it measures, and its examples work."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec

from schemas.messages import ExpectedFormat
from services.quality.quality import formats
from services.quality.quality.measures import METRICS
from services.shared.scoring import Measured
from tests.support.messages import a_call

README = (Path(formats.__file__).parents[1] / "README.md").read_text()


def test_it_tells_of_every_metric():
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in README] == []


def test_its_examples_are_one_of_every_format_and_can_be_used():
    given = [msgspec.json.decode(each, type=ExpectedFormat) for each in re.findall(r'`(\{"kind".*\})`', README)]
    assert [each.kind for each in given] == list(get_args(get_type_hints(ExpectedFormat)["kind"]))
    assert all(isinstance(formats.validity(a_call(response="x", expected_format=each)), Measured) for each in given)
