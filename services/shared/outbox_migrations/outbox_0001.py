"""The outbox: messages that belong to a committed change of state."""

import sqlalchemy as sa
from alembic import op

revision = "outbox_0001"
down_revision = None
branch_labels = ("outbox",)
depends_on = None


def upgrade() -> None:
    """Create the table and the index that the publisher reads."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("added_at_seconds", sa.Float, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("published_run", sa.Text),
    )
    op.create_index("outbox_published_run", "outbox", ["published_run", "id"])
    op.create_index("outbox_subject", "outbox", ["subject"])


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("the outbox holds what was promised; it is never dropped")
