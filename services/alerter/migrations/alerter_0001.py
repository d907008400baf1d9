"""Windows, where each alert stands, and notifications to send."""

import sqlalchemy as sa
from alembic import op

revision = "alerter_0001"
down_revision = None
branch_labels = ("alerter",)
depends_on = None


def upgrade() -> None:
    """Create the tables and the indexes that each step reads."""
    _windows()
    op.create_table(
        "standings",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("progress", sa.LargeBinary, nullable=False),
        sa.Column("alert", sa.LargeBinary),
        sa.Column("changed_at_seconds", sa.Float, nullable=False),
        sa.Column("notified_at_seconds", sa.Float),
    )
    _notifications()


def _windows() -> None:
    names = "tenant app environment version metric group_name evaluator evaluator_version"
    op.create_table(
        "windows",
        sa.Column("window_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in names.split()),
        sa.Column("interval_seconds", sa.Integer, nullable=False),
        *(sa.Column(f"{name}_seconds", sa.Float, nullable=False) for name in ("start", "end", "arrived_at")),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.Column("judged", sa.Boolean, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    op.create_index("windows_judged", "windows", ["judged", "arrived_at_seconds"])
    series = ["tenant", "app", "environment", "version", "metric", "group_name", "interval_seconds", "start_seconds"]
    op.create_index("windows_series", "windows", series)
    op.create_index("windows_end", "windows", ["end_seconds"])


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        *(sa.Column(n, sa.Text, nullable=False) for n in ("channel", "fingerprint", "title", "body", "severity")),
        *(sa.Column(f"{name}_seconds", sa.Float, nullable=False) for name in ("added_at", "due_at")),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("sent_at_seconds", sa.Float),
        sa.Column("error", sa.Text),
    )
    op.create_index("notifications_due", "notifications", ["sent_at_seconds", "due_at_seconds"])


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("where alerts stand is never dropped")
