"""A call that is timed while it happens."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from time import time_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tidemark.intake import snapshot

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from tidemark.client import Client

P = ParamSpec("P")
R = TypeVar("R")

# A stream of a hundred thousand tokens should not become a call of a megabyte.
MOST_GAPS = 4096


class TrackedCall:
    """A call under way. Its attributes and `set` are fields of the call: `call.response = …`, `call.set(tokens=…)`.

    `call_id` is there from the start, for feedback and links. Fields given at the start are kept as they are then, so
    the answer may be appended to `messages`.
    """

    def __init__(self, client: Client, fields: dict[str, Any]) -> None:
        now_ns = time_ns()
        clock = client.clock
        private: dict[str, Any] = {
            "call_id": str(fields.pop("call_id", "") or client.new_id(now_ns)),
            "_client": client,
            "_clock": clock,
            "_version": client.serving,
            "_called_ns": now_ns,
            "_started": clock(),
            "_fields": {name: _copied(value) for name, value in fields.items()},
            "_pieces": [],
            "_gaps": [],
            "_first": None,
            "_last": None,
        }
        self.__dict__.update(private)

    if TYPE_CHECKING:
        call_id: str

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> None:
        self._fields[name] = value

    def set(self, **fields: Any) -> None:
        """Give fields of the call; later ones replace earlier ones."""
        self._fields.update(fields)

    def first_token(self, text: str = "") -> None:
        """The first token is there (or the first chunk, of which `text` is the content)."""
        self.token(text)

    def token(self, text: str = "") -> None:
        """One more token or chunk is there. What `text`s were given make the response, unless one is set."""
        now = self._clock()
        marks = self.__dict__
        if self._first is None:
            marks["_first"] = now
        elif len(self._gaps) < MOST_GAPS:
            self._gaps.append(now - self._last)
        marks["_last"] = now
        if text:
            self._pieces.append(text)

    def answered(self, value: R) -> R:
        """Take a returned text as the response, and give the value back."""
        if isinstance(value, str):
            self._fields.setdefault("response", value)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(error)

    def finish(self, error: BaseException | None = None) -> None:
        """The call is over: hand it over. Measured times give way to given ones."""
        fields = self._fields
        fields.setdefault("duration_seconds", self._clock() - self._started)
        if self._first is not None:
            fields.setdefault("time_to_first_token_seconds", self._first - self._started)
        if self._gaps:
            fields.setdefault("inter_token_seconds", self._gaps)
        if self._pieces:
            fields.setdefault("response", "".join(map(str, self._pieces)))
        if isinstance(error, GeneratorExit):
            fields.setdefault("finish_reason", "closed")  # whoever read the stream had enough
        elif error is not None:
            fields.setdefault("error", error)
        fields.setdefault("called_at", self._called_ns / 1e9)
        self._client.hand_over(self.call_id, self._called_ns, self._version, fields)


def _copied(value: Any) -> Any:
    try:
        return snapshot(value)[0]
    except Exception:  # an application must not fail because it is watched
        return value


class Tracking:
    """What `track` answers: a context manager for one call, or a decorator for every call of a function."""

    def __init__(self, client: Client, fields: dict[str, Any]) -> None:
        self._client, self._fields = client, fields
        self._call: TrackedCall | None = None

    def start(self, **fields: Any) -> TrackedCall:
        """A call that starts here; whoever starts it calls `finish`."""
        return TrackedCall(self._client, {**self._fields, **fields})

    def __enter__(self) -> TrackedCall:
        self._call = self.start()
        return self._call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._call:
            self._call.finish(error)

    async def __aenter__(self) -> TrackedCall:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Track every call of `function`.

        Arguments named like fields of a call (prompt, messages, context, …) are taken as such; a text that it returns
        is the response, and so are the texts that a generator yields, each a token. Imported here and not above:
        `inspect` costs more time to import than the rest of the client.
        """
        wrapped: Callable[P, R] = import_module("tidemark.decorating").tracked(self, function)
        return wrapped
