"""Functions, coroutines and generators whose every call is tracked."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidemark.tracking import TrackedCall, Tracking

TAKEN = frozenset(("prompt", "messages", "system_prompt", "context", "session_id", "user_id", "trace_id"))


def tracked(tracking: Tracking, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, tracked, as the same kind of function."""
    begin = _beginning(tracking, function)
    if inspect.isasyncgenfunction(function):
        return _async_stream(begin, function)
    if inspect.isgeneratorfunction(function):
        return _stream(begin, function)
    if inspect.iscoroutinefunction(function):
        return _coroutine(begin, function)
    return _plain(begin, function)


def _beginning(tracking: Tracking, function: Callable[..., Any]) -> Callable[..., TrackedCall]:
    signature = inspect.signature(function)

    def begin(*args: Any, **kwargs: Any) -> TrackedCall:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # the function itself will say so
            given = {}
        return tracking.start(**{name: value for name, value in given.items() if name in TAKEN})

    return begin


def _plain(begin: Callable[..., TrackedCall], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        under_way = begin(*args, **kwargs)
        with under_way:
            return under_way.answered(function(*args, **kwargs))

    return call


def _coroutine(begin: Callable[..., TrackedCall], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        under_way = begin(*args, **kwargs)
        with under_way:
            return under_way.answered(await function(*args, **kwargs))

    return call


def _stream(begin: Callable[..., TrackedCall], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        under_way = begin(*args, **kwargs)
        with under_way:
            # Not `yield from`: every token has to be seen on its way.
            for token in function(*args, **kwargs):
                under_way.token(token if isinstance(token, str) else "")
                yield token

    return call


def _async_stream(begin: Callable[..., TrackedCall], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        under_way = begin(*args, **kwargs)
        with under_way:
            async for token in function(*args, **kwargs):
                under_way.token(token if isinstance(token, str) else "")
                yield token

    return call
