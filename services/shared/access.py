"""Who may do what: credentials, scopes, and routes that are denied unless they name a permission."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
from pydantic import SecretStr
from starlette.requests import Request

from services.shared.errors import Unusable
from services.shared.problem import Problem

SCOPES = ("emit", "read", "deploy", "admin")
SERVICE = "service"  # the permission that only the shared secret gives
PUBLIC = "public"
TENANT_HEADER = "Tidemark-Tenant"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class KeyHash(msgspec.Struct, frozen=True):
    """What is kept of an API key: never the key itself."""

    key_id: str
    tenant: str
    name: str
    hash: str  # HMAC-SHA256 of the key, in hexadecimal
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Principal:
    """Who asks: the tenant is the credential's, never the request's."""

    tenant: str
    name: str
    key_id: str
    scopes: frozenset[str]


class Keys(Protocol):
    """Where the keys are looked up."""

    def find(self, digest: str) -> KeyHash | None:
        """The valid key with this hash."""


def hash_key(secret: str, key: str) -> str:
    """The HMAC-SHA256 of `key` under `secret`, in hexadecimal."""
    return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest()


def required_secret(secret: SecretStr) -> str:
    """The shared secret; `Unusable` where no header takes it, or there is none: then everybody would be a service."""
    text = secret.get_secret_value()
    if not text:
        raise Unusable("TIDEMARK_SECRET is not set: set it to the same long random text for every service")
    if not (text.isascii() and text.isprintable()):
        raise Unusable("TIDEMARK_SECRET has characters that no header takes: use letters and digits alone")
    return text


class KeyIndex:
    """Keys by their hash, in memory."""

    def __init__(self, keys: Iterable[KeyHash] = ()) -> None:
        self._keys = {key.hash: key for key in keys}

    def find(self, digest: str) -> KeyHash | None:
        """The valid key with this hash."""
        return self._keys.get(digest)


def permission(*allowed: str) -> Callable[[Endpoint], Endpoint]:
    """Name the scopes of which one is enough for an endpoint; `PUBLIC` and `SERVICE` are permissions too."""
    unknown = set(allowed) - {*SCOPES, SERVICE, PUBLIC}
    if unknown or not allowed:
        raise ValueError(f"no such permission: {', '.join(sorted(unknown)) or 'none named'}")

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__permissions__ = allowed  # type: ignore[attr-defined]
        return endpoint

    return mark


def permissions(endpoint: object) -> tuple[str, ...]:
    """The permissions that an endpoint names; none means that nobody may use it."""
    return getattr(endpoint, "__permissions__", ())


class Guard:
    """The dependency of every route: finds who asks and refuses what the endpoint does not permit.

    The secret is what services show each other; it names the tenant in a header. Looking a key up by its HMAC
    tells nothing by its timing: nobody can choose the HMAC of a guess.
    """

    def __init__(self, secret: str, keys: Keys) -> None:
        self._secret = secret
        self._keys = keys

    async def __call__(self, request: Request) -> None:
        """Let the request pass, with `request.state.principal` set, or raise `Problem` (401, 403)."""
        allowed = permissions(getattr(request.scope.get("route"), "endpoint", None))
        if PUBLIC in allowed:
            return
        principal = self.known(request)
        if not principal.scopes & set(allowed):
            raise _forbidden(allowed)
        request.state.principal = principal

    def known(self, request: Request) -> Principal:
        """Who asks, by the headers alone; raises `Problem` (401) where nobody is known by them."""
        return self.principal(_bearer(request), _named_tenant(request))

    def principal(self, credential: str, tenant: str) -> Principal:
        """Who shows `credential`; raises `Problem` (401) where nobody is known by it."""
        if hmac.compare_digest(credential.encode(), self._secret.encode()):
            return Principal(tenant, SERVICE, SERVICE, frozenset({*SCOPES, SERVICE}))
        key = self._keys.find(hash_key(self._secret, credential))
        if key is None:
            raise _unauthorized("the key is not known or was revoked")
        return Principal(key.tenant, key.name, key.key_id, frozenset(key.scopes))


def principal_of(request: Request) -> Principal:
    """Who asks, with a tenant; a service that names none is refused."""
    principal: Principal = request.state.principal
    if not principal.tenant:
        raise Problem(400, "tenant_missing", "no tenant is named", field=TENANT_HEADER, remedy="send the header")
    return principal


def _bearer(request: Request) -> str:
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise _unauthorized("no credential was sent")
    return credential.strip()


def _named_tenant(request: Request) -> str:
    """The tenant in the header, which is UTF-8: Starlette reads any byte, as Latin-1."""
    try:
        return request.headers.get(TENANT_HEADER, "").encode("latin-1").decode()
    except UnicodeDecodeError as error:
        said = "the name of the tenant is no UTF-8"
        raise Problem(400, "tenant_unreadable", said, field=TENANT_HEADER, remedy="send it as UTF-8") from error


def _unauthorized(message: str) -> Problem:
    remedy = "send the header Authorization: Bearer KEY with a valid key"
    return Problem(
        401, "unauthorized", message, field="Authorization", remedy=remedy, headers={"WWW-Authenticate": "Bearer"}
    )


def _forbidden(allowed: Sequence[str]) -> Problem:
    wanted = " or ".join(allowed) if allowed else "nobody's"
    message = f"the key lacks the scope {wanted}"
    return Problem(403, "forbidden", message, field="Authorization", remedy="use a key that has the scope")
