"""Versions, deployments, leases, decisions, baselines, freezes and keys."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0001"
down_revision = None
branch_labels = ("registry",)
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create("versions", "tenant app label", "hash bundle registered_at registered_by")
    op.create_table(
        "deployments",
        *_key("tenant app environment"),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("message", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "leases",
        *_key("tenant app environment"),
        sa.Column("token", sa.BigInteger, nullable=False),
        *_columns("holder expires_at"),
    )
    op.create_table("decisions", *_key("decision_id"), sa.Column("outcome", sa.LargeBinary, nullable=False))
    _create("baselines", "tenant app environment", "version set_at set_by")
    _create("freezes", "tenant app environment", "reason set_at set_by")
    op.create_table(
        "keys",
        *_key("key_id"),
        *_columns("tenant name hash scopes created_at"),
        sa.Column("revoked_at", sa.Text),
        sa.UniqueConstraint("hash"),
    )


def _create(table: str, key: str, columns: str) -> None:
    op.create_table(table, *_key(key), *_columns(columns))


def _key(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names.split()]


def _columns(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names.split()]


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError("what was deployed is never forgotten")
