"""What a client can be told: by argument, else by environment, else a default."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from tidemark.coercion import label, place
from tidemark.masking import Mask, builtin

if TYPE_CHECKING:
    from typing import Unpack


class Options(TypedDict, total=False):
    """The settings that a client takes as arguments; the README says what each means."""

    url: str
    api_key: str
    app: str
    environment: str
    version: str
    default_version: str
    transport: Literal["http", "kafka"]
    kafka_bootstrap: str
    kafka_prefix: str
    tenant: str
    mask: bool | Mask
    sample_rate: float
    spool: str | Path
    spool_bytes: int
    ledger: str | Path
    queue_calls: int
    queue_bytes: int
    batch_calls: int
    batch_bytes: int
    linger_seconds: float
    request_seconds: float
    longest_backoff_seconds: float
    exit_seconds: float
    poll_seconds: float
    longest_text: int
    largest_call_bytes: int
    enabled: bool


def _flag(text: str) -> bool:
    return text.strip().lower() not in {"0", "false", "no", "off", ""}


def _state() -> Path:
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "tidemark"
    except RuntimeError as error:
        raise ValueError("spool is not set and there is no home directory: give spool or TIDEMARK_SPOOL") from error


# Name: default, how a variable's text is read, the variable where it is not TIDEMARK_<NAME>.
_DECLARED: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "url": ("http://127.0.0.1:8700", str),
    "api_key": ("", str),
    "app": ("default", str),
    "environment": ("production", str),
    "version": ("", str),
    "default_version": ("unversioned", str),
    "transport": ("http", str),
    "kafka_bootstrap": ("127.0.0.1:8705", str),
    "kafka_prefix": ("", str),
    "tenant": ("", str),
    "mask": (True, _flag),
    "sample_rate": (1.0, float),
    "spool": (None, Path),
    "spool_bytes": (256 * 2**20, int),
    "ledger": (None, Path),
    "queue_calls": (50_000, int),
    "queue_bytes": (64 * 2**20, int),
    "batch_calls": (500, int),
    "batch_bytes": (2 * 2**20, int),
    "linger_seconds": (0.1, float),
    "request_seconds": (10.0, float),
    "longest_backoff_seconds": (30.0, float),
    "exit_seconds": (5.0, float),
    "poll_seconds": (2.0, float),
    "longest_text": (100_000, int),
    "largest_call_bytes": (900_000, int),
    "enabled": (True, _flag),
}
_MAY_BE_ZERO = {
    *("spool_bytes", "queue_calls", "queue_bytes", "longest_text"),
    *("longest_backoff_seconds", "exit_seconds", "poll_seconds"),
}

_PREFIX = re.compile(r"[a-zA-Z0-9._-]{0,100}")  # what names of topics may hold, and the services take


class Settings:
    """The settings of one client; every name of `Options` is an attribute.

    Raises `ValueError` for what cannot work, and `TypeError` for a name that is no setting: a client that was
    misspelt should fail when it is made, not lose calls when they are emitted.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, variables: Mapping[str, str], /, **given: Unpack[Options]) -> None:
        if unknown := given.keys() - _DECLARED.keys():
            raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
        for name, (default, read) in _DECLARED.items():
            variable = f"TIDEMARK_{name.upper()}"
            if given.get(name) is not None:
                value = given[name]  # type: ignore[literal-required]
            elif variables.get(variable):
                value = _read(variable, variables[variable], read)
            else:
                value = default
            setattr(self, name, value)
        self._check()

    def _check(self) -> None:
        self.spool: Path = Path(self.spool) if self.spool else _state()
        self.ledger: Path | None = Path(self.ledger) if self.ledger else None
        self.url: str = str(self.url).rstrip("/")
        if self.transport not in {"http", "kafka"}:
            raise ValueError(f"transport is {self.transport!r}: choose http or kafka")
        if self.transport == "kafka":
            self._check_kafka()
        self.api_key: str = str(self.api_key).strip()
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key has characters that no header takes: give it as it was made")
        self.app: str = place(self.app, "app")
        self.environment: str = place(self.environment, "environment")
        self.version: str = label(self.version, "version") if self.version else ""
        self.default_version: str = label(self.default_version, "default_version")
        self._check_numbers()
        if self.sample_rate > 1:
            raise ValueError("sample_rate must be above 0 and at most 1")

    def _check_kafka(self) -> None:
        if not self.tenant:
            raise ValueError("tenant is empty: the gateway knows it from the key, straight to Kafka it must be given")
        self.tenant: str = label(self.tenant, "tenant")
        if not _PREFIX.fullmatch(self.kafka_prefix):
            raise ValueError(
                f"kafka_prefix is {self.kafka_prefix!r}: give at most 100 letters, digits, '.', '_' and '-'"
            )

    def _check_numbers(self) -> None:
        for name, (_, read) in _DECLARED.items():
            if read in (int, float):
                value = _read(name, getattr(self, name), read)
                if name in _MAY_BE_ZERO and not 0 <= value < math.inf:
                    raise ValueError(f"{name} is {value}: give 0 or more")
                if name not in _MAY_BE_ZERO and not 0 < value < math.inf:
                    raise ValueError(f"{name} is {value}: give more than 0")
                setattr(self, name, value)

    @property
    def masks(self) -> list[Mask]:
        """The built-in patterns, then the caller's own mask; nothing where masking is off."""
        own = [self.mask] if callable(self.mask) else []
        return [builtin(), *own] if self.mask else []

    @property
    def folder(self) -> Path:
        """Where everything is kept for where calls go: a spool is adopted by clients of the same address and app alone.

        Not of the same key, which may change while calls wait for it; another app may belong to another tenant.
        """
        where = (self.url,) if self.transport == "http" else (self.kafka_bootstrap, self.kafka_prefix, self.tenant)
        digest = blake2b("\n".join([*where, self.app, self.environment]).encode(), digest_size=8)
        return self.spool / digest.hexdigest()


def _read(name: str, given: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} is {given!r}: {error}") from error
