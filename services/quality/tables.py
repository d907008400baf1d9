"""The table of quality, as the migrations leave it."""

from sqlalchemy import BigInteger, Column, Float, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

WAITING = Table(
    "waiting",
    METADATA,
    Column("feedback_id", Text, primary_key=True),
    Column("message", LargeBinary, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("added_at_seconds", Float, nullable=False),
    Column("due_at_seconds", Float, nullable=False),
)
