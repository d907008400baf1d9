"""Feedback that waits for its call."""

import sqlalchemy as sa
from alembic import op

revision = "quality_0001"
down_revision = None
branch_labels = ("quality",)
depends_on = None


def upgrade() -> None:
    """Create the table, and the index by which what is due is found."""
    op.create_table(
        "waiting",
        sa.Column("feedback_id", sa.Text, primary_key=True),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("added_at_seconds", sa.Float, nullable=False),
        sa.Column("due_at_seconds", sa.Float, nullable=False),
    )
    op.create_index("waiting_due", "waiting", ["due_at_seconds"])


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("what people said is never dropped")
