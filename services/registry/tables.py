"""The registry's tables, as the migrations leave them."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()


def _key(names: str) -> list[Column[str]]:
    return [Column(name, Text, primary_key=True) for name in names.split()]


def _texts(names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names.split()]


VERSIONS = Table("versions", METADATA, *_key("tenant app label"), *_texts("hash bundle registered_at registered_by"))
DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    *_key("tenant app environment"),
    Column("revision", Integer, primary_key=True),
    Column("message", LargeBinary, nullable=False),
)
LEASES = Table(
    "leases",
    METADATA,
    *_key("tenant app environment"),
    Column("token", BigInteger, nullable=False),
    *_texts("holder expires_at"),
)
DECISIONS = Table("decisions", METADATA, *_key("decision_id"), Column("outcome", LargeBinary, nullable=False))
BASELINES = Table("baselines", METADATA, *_key("tenant app environment"), *_texts("version set_at set_by"))
FREEZES = Table("freezes", METADATA, *_key("tenant app environment"), *_texts("reason set_at set_by"))
KEYS = Table(
    "keys", METADATA, *_key("key_id"), *_texts("tenant name hash scopes created_at"), Column("revoked_at", Text)
)
