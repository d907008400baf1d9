"""The rollback service's tables, as the migrations leave them."""

from sqlalchemy import Column, Float, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

ALERTS = Table(
    "alerts",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("segment", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_at_seconds", Float, nullable=False),
    Column("due_at_seconds", Float),  # null: considered
    Column("decision_id", Text),
    Column("message", LargeBinary, nullable=False),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("from_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at_seconds", Float, nullable=False),
    Column("ordered_at_seconds", Float),
    Column("due_at_seconds", Float),  # null: ended
    Column("approved_by", Text),
    Column("content", LargeBinary, nullable=False),
)
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("outcome_id", Text, primary_key=True),
    Column("decision_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", LargeBinary, nullable=False),
)
