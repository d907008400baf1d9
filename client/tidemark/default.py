"""The client that the functions of the package use; made from the environment where nobody configured one."""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

from tidemark.client import Client

# Only types need these, and yet they are imported here: a module that is first imported later takes the place of the
# function of its name in the package.
from tidemark.deployment import Deployment
from tidemark.stats import Stats

if TYPE_CHECKING:
    from typing import Unpack

    from tidemark.fields import CallFields, FeedbackFields
    from tidemark.settings import Options
    from tidemark.tracking import Tracking

_making = Lock()
_default: Client | None = None


def _renew() -> None:
    """In a child that was forked while another thread made the client: nobody is left who would free the lock."""
    global _making  # noqa: PLW0603
    _making = Lock()


os.register_at_fork(after_in_child=_renew)


def configure(**options: Unpack[Options]) -> Client:
    """Make the client that the functions of this package use; one that was there before is closed.

    Raises as `Client` does.
    """
    global _default
    fresh = Client(**options)
    with _making:
        former, _default = _default, fresh
    if former is not None:
        former.close()
    return fresh


def client() -> Client:
    """The client in use; the first call makes it from the environment.

    Never raises: where the environment makes none, that is logged, and what is emitted is dropped and counted until
    `configure` makes one.
    """
    global _default  # noqa: PLW0603
    with _making:
        if _default is None:
            _default = _from_environment()
        return _default


def _from_environment() -> Client:
    try:
        return Client()
    except Exception as error:  # an application must not fail because it is watched
        from tidemark.reports import Reports  # noqa: PLC0415 - `logging` costs an application time to import

        sentence = "Every call is dropped, the environment makes no client: %s. Correct it, or call tidemark.configure."
        Reports().warn("environment", sentence, error)
        return Client.disabled()


def emit(*wrong: object, **fields: Unpack[CallFields]) -> str:
    """As `Client.emit`, on the client in use."""
    return (_default or client()).emit(*wrong, **fields)


def track(**fields: Unpack[CallFields]) -> Tracking:
    """As `Client.track`, on the client in use."""
    return (_default or client()).track(**fields)


def feedback(call_id: str = "", **fields: Unpack[FeedbackFields]) -> str:
    """As `Client.feedback`, on the client in use."""
    return (_default or client()).feedback(call_id, **fields)


def deployment(unit: str | None = None) -> Deployment:
    """As `Client.deployment`, on the client in use."""
    return (_default or client()).deployment(unit)


def flush(timeout_seconds: float = 5.0) -> bool:
    """As `Client.flush`, on the client in use."""
    return (_default or client()).flush(timeout_seconds)


def close() -> None:
    """As `Client.close`, on the client in use."""
    if _default is not None:
        _default.close()


def stats() -> Stats:
    """As `Client.stats`, on the client in use."""
    return (_default or client()).stats()
