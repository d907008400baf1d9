"""The alerter's tables, as the migrations leave them."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()


def _texts(names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names.split()]


def _numbers(names: str) -> list[Column[float]]:
    return [Column(name, Float, nullable=False) for name in names.split()]


WINDOWS = Table(
    "windows",
    METADATA,
    Column("window_id", Text, primary_key=True),
    *_texts("tenant app environment version metric group_name evaluator evaluator_version"),
    Column("interval_seconds", Integer, nullable=False),
    *_numbers("start_seconds end_seconds arrived_at_seconds"),
    Column("generation", Integer, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("judged", Boolean, nullable=False),
    Column("message", LargeBinary, nullable=False),
)
STANDINGS = Table(
    "standings",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    *_texts("rule state"),
    Column("progress", LargeBinary, nullable=False),
    Column("alert", LargeBinary),
    *_numbers("changed_at_seconds"),
    Column("notified_at_seconds", Float),
)
NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *_texts("channel fingerprint title body severity"),
    *_numbers("added_at_seconds due_at_seconds"),
    Column("attempts", Integer, nullable=False),
    Column("sent_at_seconds", Float),
    Column("error", Text),
)
