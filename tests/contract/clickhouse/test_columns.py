"""Every field of every message lands in a column, and no column is made up."""

from typing import get_args

import msgspec
import pytest

from services.writer.writer import TABLES

PREFIXED = {"error", "sketch", "drift"}  # parts that may be missing: columns `<part>_<field>`
MADE = {"DeadLetter": {"call_id"}}  # found in the bytes of the letter
# A decision is its newest outcome, whichever that is; a pin is no part of a revision, and comes and goes while it runs.
NOT_KEPT = {"decisions": {"outcome_id"}, "deployments": {"baseline_version"}}


def expected(message):
    for field in msgspec.structs.fields(message):
        if field.name in {"segment", "target"}:
            yield from (inner.name for inner in msgspec.structs.fields(field.type))
        elif field.name == "tokens":
            yield from (f"{inner.name}_tokens" for inner in msgspec.structs.fields(field.type))
        elif field.name in PREFIXED and type(None) in get_args(field.type):
            part = next(kind for kind in get_args(field.type) if kind is not type(None))
            yield from (f"{field.name}_{inner.name}" for inner in msgspec.structs.fields(part))
        else:
            yield field.name


@pytest.mark.parametrize(
    ("message", "table"),
    [(message, table) for message, tables in TABLES.items() for table in tables],
    ids=lambda each: getattr(each, "name", ""),
)
def test_fields_and_columns_agree(message, table):
    fields = (set(expected(message)) | MADE.get(message.__name__, set())) - NOT_KEPT.get(table.name, set())
    columns = [column.name for column in table.columns]
    assert len(columns) == len(set(columns))
    assert set(columns) == fields
