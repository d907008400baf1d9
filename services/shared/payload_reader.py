"""Calls that came by reference, whole again."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from schemas.messages import Call, Message
from services.shared.errors import Transient
from services.shared.metrics import PAYLOADS
from services.shared.object_store import ObjectStore
from services.shared.payloads import Reference, place, together
from services.shared.process import utc_now

LARGEST_BYTES = 16 << 20  # of one payload; the gateway takes less
CACHE_BYTES = 32 << 20
TOGETHER_BYTES = 16 << 20  # of payloads in one step of a batch
PATIENCE = timedelta(minutes=1)


class PayloadMissing(Exception):
    """The store has no payload of this call, and has had time to show it."""


class PayloadDamaged(Exception):
    """What the store gave is not what the call refers to."""


class PayloadReader:
    """Reads payloads of calls; what was read last is kept, up to `cache_bytes`. For one thread.

    What is not there is waited for until the call is a minute old: not every store shows at once what it has taken.
    """

    def __init__(
        self, store: ObjectStore, *, cache_bytes: int = CACHE_BYTES, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._store, self._clock = store, clock
        self._most, self._held = cache_bytes, 0
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._missed: OrderedDict[str, datetime] = OrderedDict()

    def whole(self, call: Call) -> Call:
        """The call with all of its fields.

        Raises `Transient` where the store does not answer or does not show it yet, `PayloadMissing`,
        `PayloadDamaged`, and ValueError for a reference that is none.
        """
        if call.payload_reference is None:
            return call
        reference = Reference.parse(call.payload_reference)
        key = place(call, reference.digest)
        data = self._cache.get(key)
        if data is None:
            data = self._checked(self._read(key, call), reference)
            self._keep(key, data)
        return together(call, data)

    def _read(self, key: str, call: Call) -> bytes:
        try:
            data = self._store.get(key, LARGEST_BYTES + 1)
        except FileNotFoundError as error:
            since = min(call.called_at, self._missed.setdefault(key, self._clock()))
            if self._clock() - since < PATIENCE:
                raise Transient(f"the payload {key} is not there yet") from error
            PAYLOADS.labels("missing").inc()
            raise PayloadMissing(f"the payload {key} is not in the store") from error
        except Exception as error:  # every file system of fsspec has errors of its own
            raise Transient(f"the store of payloads does not answer: {error!r}") from error
        finally:
            while len(self._missed) > 1000:
                self._missed.popitem(last=False)
        PAYLOADS.labels("read").inc()
        return data

    def _checked(self, data: bytes, reference: Reference) -> bytes:
        if len(data) > LARGEST_BYTES or Reference.of(data) != reference:
            PAYLOADS.labels("damaged").inc()
            raise PayloadDamaged(f"the payload has not the content that {reference} names")
        return data

    def _keep(self, key: str, data: bytes) -> None:
        self._cache[key] = data
        self._held += len(data)
        while self._held > self._most:
            self._held -= len(self._cache.popitem(last=False)[1])


def reading(
    reader: PayloadReader, handle: Callable[[Sequence[Call]], Iterable[Message]]
) -> Callable[[Sequence[Call]], Iterator[Message]]:
    """`handle`, given whole calls: all that came whole at once, and of large ones no more at a time than fit."""

    def handled(calls: Sequence[Call]) -> Iterator[Message]:
        for part in parts_of(calls):
            yield from handle([reader.whole(call) for call in part])

    return handled


def parts_of(calls: Sequence[Call], most: int = TOGETHER_BYTES) -> Iterator[Sequence[Call]]:
    """The calls in order, cut where their payloads would be more than `most` bytes together."""
    start, size = 0, 0
    for position, call in enumerate(calls):
        more = _size(call)
        if more and size and size + more > most:
            yield calls[start:position]
            start, size = position, 0
        size += more
    yield calls[start:]


def _size(call: Call) -> int:
    """Bytes of the call's payload; 0 where its reference is none, which `whole` says."""
    try:
        return Reference.parse(call.payload_reference).size if call.payload_reference else 0
    except ValueError:
        return 0
