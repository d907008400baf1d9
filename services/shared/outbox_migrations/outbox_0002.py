"""When a message was published: the hour in which it is repeated counts from there."""

import sqlalchemy as sa
from alembic import op

revision = "outbox_0002"
down_revision = "outbox_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is published already counts from when it was added, as it did."""
    op.add_column("outbox", sa.Column("published_at_seconds", sa.Float))
    op.execute("UPDATE outbox SET published_at_seconds = added_at_seconds WHERE published_run IS NOT NULL")


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("the outbox holds what was promised; it is never dropped")
