"""Functions, coroutines and generators whose every call is tracked."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
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
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        under_way = begin(*args, **kwargs)
        with under_way:
            return (yield from _Seen(function(*args, **kwargs), under_way))

    return call


class _Seen:
    """A generator whose tokens are seen on their way: what is sent or thrown into it arrives, as does its result."""

    def __init__(self, stream: Generator[Any, Any, Any], under_way: TrackedCall) -> None:
        self._stream, self._under_way = stream, under_way

    def __iter__(self) -> _Seen:
        return self

    def __next__(self) -> Any:
        return self._seen(next(self._stream))

    def send(self, value: Any) -> Any:
        return self._seen(self._stream.send(value))

    def throw(self, error: BaseException) -> Any:
        return self._seen(self._stream.throw(error))

    def close(self) -> None:
        self._stream.close()

    def _seen(self, token: Any) -> Any:
        self._under_way.token(token if isinstance(token, str) else "")
        return token


def _async_stream(begin: Callable[..., TrackedCall], function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        under_way, stream = begin(*args, **kwargs), function(*args, **kwargs)
        with under_way:
            try:
                token = await anext(stream)
                while True:
                    under_way.token(token if isinstance(token, str) else "")
                    try:
                        sent = yield token
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # it was thrown in, and is for the function
                        token = await stream.athrow(error)
                    else:
                        token = await stream.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                await stream.aclose()

    return call
