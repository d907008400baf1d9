"""What was worked out for a text before, found by its content."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

V = TypeVar("V")
K = TypeVar("K", bound="str | tuple[str, ...]")


class ContentCache(Generic[V]):
    """At most `entries` values, by a hash of the text or texts that they belong to; the longest unused goes first."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._values: OrderedDict[bytes, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def filled(self, contents: Sequence[K], make: Callable[[list[K]], Iterable[V]]) -> list[V]:
        """The value of each of `contents`, in order; `make` is given each that is not known once."""
        keys = [content_key(content) for content in contents]
        known = {key: self._values[key] for key in keys if key in self._values}
        missing = {key: content for key, content in zip(keys, contents, strict=True) if key not in known}
        if missing:
            known.update(zip(missing, make(list(missing.values())), strict=True))
        self._remember(known)
        return [known[key] for key in keys]

    def _remember(self, values: dict[bytes, V]) -> None:
        for key, value in values.items():
            self._values[key] = value
            self._values.move_to_end(key)
        while len(self._values) > self._entries:
            self._values.popitem(last=False)


def content_key(content: str | tuple[str, ...]) -> bytes:
    """16 bytes that stand for a text, or for several in their order."""
    parts = (content,) if isinstance(content, str) else content
    hashed = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "little") + data)
    return hashed.digest()
