"""Alerts, decisions and outcomes."""

import sqlalchemy as sa
from alembic import op

revision = "rollback_0001"
down_revision = None
branch_labels = ("rollback",)
depends_on = None


def upgrade() -> None:
    """Create the tables and the indexes that each step reads."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("segment", "target", "state")),
        sa.Column("changed_at_seconds", sa.Float, nullable=False),
        sa.Column("due_at_seconds", sa.Float),
        sa.Column("decision_id", sa.Text),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    op.create_index("alerts_due", "alerts", ["due_at_seconds"])
    op.create_index("alerts_target", "alerts", ["target", "state"])
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("target", "from_version", "state")),
        sa.Column("opened_at_seconds", sa.Float, nullable=False),
        sa.Column("ordered_at_seconds", sa.Float),
        sa.Column("due_at_seconds", sa.Float),
        sa.Column("approved_by", sa.Text),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("decisions_due", "decisions", ["due_at_seconds"])
    # One open decision for each target: the database refuses a second one, whatever the code believes.
    ended = sa.text("due_at_seconds IS NOT NULL")
    op.create_index("decisions_open", "decisions", ["target"], unique=True, sqlite_where=ended, postgresql_where=ended)
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("decision_id", "actor", "state")),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    op.create_index("outcomes_decision", "outcomes", ["decision_id", "actor"])


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("decisions are never dropped")
