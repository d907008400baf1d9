"""API keys: shown once, kept as HMAC."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from schemas.ids import uuid7
from services.registry.tables import KEYS
from services.shared.access import SCOPES, KeyHash, hash_key

PREFIX = "tdm_"  # lets a secret scanner recognise a key


class KeyStore:
    """The keys of every tenant; `hashing_secret` is what they are hashed with."""

    def __init__(self, engine: Engine, hashing_secret: str, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._secret = hashing_secret
        self._clock = clock

    def create(self, tenant: str, name: str, scopes: Sequence[str]) -> tuple[KeyHash, str]:
        """A fresh key: what is kept of it, and the key itself, which is never shown again."""
        key = PREFIX + secrets.token_urlsafe(32)
        return self._keep(tenant, name, scopes, key), key

    def ensure(self, tenant: str, name: str, key: str) -> None:
        """Make a key that somebody else made valid, with every scope; repeats change nothing.

        A key that was revoked stays revoked.
        """
        with self._engine.connect() as connection:
            known = connection.execute(select(KEYS.c.key_id).where(KEYS.c.hash == hash_key(self._secret, key))).first()
        if known is None:
            self._keep(tenant, name, SCOPES, key)

    def _keep(self, tenant: str, name: str, scopes: Sequence[str], key: str) -> KeyHash:
        kept = KeyHash(
            key_id=str(uuid7()), tenant=tenant, name=name, hash=hash_key(self._secret, key), scopes=tuple(scopes)
        )
        row = {"created_at": self._clock().isoformat(), "scopes": " ".join(scopes)}
        with self._engine.begin() as connection:
            connection.execute(insert(KEYS).values(key_id=kept.key_id, tenant=tenant, name=name, hash=kept.hash, **row))
        return kept

    def revoke(self, tenant: str, key_id: str) -> bool:
        """End a key of the tenant; False where it has no such key that is valid."""
        mine = (KEYS.c.tenant == tenant, KEYS.c.key_id == key_id, KEYS.c.revoked_at.is_(None))
        with self._engine.begin() as connection:
            ended = connection.execute(update(KEYS).where(*mine).values(revoked_at=self._clock().isoformat()))
            return ended.rowcount == 1

    def find(self, digest: str) -> KeyHash | None:
        """The valid key with this hash."""
        with self._engine.connect() as connection:
            row = connection.execute(select(KEYS).where(KEYS.c.hash == digest, KEYS.c.revoked_at.is_(None))).first()
        return None if row is None else _kept(row)

    def valid(self, tenant: str | None = None) -> list[KeyHash]:
        """What is kept of every valid key; of one tenant where `tenant` is given."""
        statement = select(KEYS).where(KEYS.c.revoked_at.is_(None)).order_by(KEYS.c.created_at)
        with self._engine.connect() as connection:
            rows = connection.execute(statement if tenant is None else statement.where(KEYS.c.tenant == tenant)).all()
        return [_kept(row) for row in rows]


def _kept(row: Row[Any]) -> KeyHash:
    return KeyHash(row.key_id, row.tenant, row.name, row.hash, tuple(row.scopes.split()))
