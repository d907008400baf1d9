"""What is accepted, what is refused and why."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from schemas.messages import UNDECODABLE, Call, Feedback
from services.shared.names import LABEL, NAME
from services.shared.payloads import Reference, apart, place

M = TypeVar("M", Call, Feedback)
MOST_ENTRIES = 1000  # of tags, groups, parameters, attributes, documents, turns and choices each
LONGEST_NAME = 200  # characters of an id, of what a provider names, or of the name of an entry
LARGEST_INTEGER = 2**53  # what JSON carries everywhere without loss
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_INTEGER)]
IDENTIFIERS = (
    *("trace_id", "span_id", "parent_span_id", "session_id", "user_id", "client_instance", "experiment", "arm"),
    *("provider", "requested_model", "answering_model", "system_fingerprint", "finish_reason"),
)
COLLECTIONS = ("parameters", "groups", "tags", "attributes", "context", "choices", "messages", "tool_calls")
PATH_PARTS = ("app", "environment")
PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one call: `stored`, `rejected` with the field and the remedy, or `retry`."""

    call_id: Any = None
    feedback_id: Any = None
    status: Literal["stored", "rejected", "retry"]
    field: str | None = None
    message: str | None = None
    remedy: str | None = None


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender says of itself; `dropped` counts what it lost since the last batch it sent."""

    instance: str = ""
    dropped: Count | Mapping[str, Count] = 0
    version: str = ""


class Rejected(Exception):
    """One call that cannot be taken, whoever sends it again: field, message and remedy."""

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy


class Unreadable(Exception):
    """A body of which nothing can be taken: field, message and remedy."""

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy


class TooMany(Unreadable):
    """A body with more messages than are taken at once."""


@dataclass(frozen=True)
class Limits:
    """How much, how old and how far ahead a message may be."""

    largest_body_bytes: int = 4 << 20
    most: int = 1000
    largest_bytes: int = 4_000_000  # of a call; what is above `inline_bytes` travels by reference
    inline_bytes: int = 256 << 10
    largest_message_bytes: int = 900_000  # below the megabyte that Kafka takes, with room for key and headers
    oldest: timedelta = timedelta(days=30)
    ahead: timedelta = timedelta(minutes=5)
    body_seconds: float = 30.0


@dataclass(frozen=True)
class Kind(Generic[M]):
    """One kind of message that the gateway takes."""

    message: type[M]
    plural: str
    id_field: str
    time_field: str


CALL = Kind(Call, "calls", "call_id", "called_at")
FEEDBACK = Kind(Feedback, "feedback", "feedback_id", "given_at")


@dataclass(frozen=True)
class Payload:
    """What of a call lies in the store of payloads, and under which key."""

    key: str
    data: bytes


@dataclass(frozen=True)
class Taken:
    """A message that may go to Kafka, once its payload is in the store."""

    message_id: str
    key: bytes
    value: bytes
    payload: Payload | None = None


def split(body: bytes, kind: Kind[Any], limits: Limits) -> tuple[Sequence[msgspec.Raw], Client]:
    """The messages of a body, still undecoded, so that a bad one harms no other; `Unreadable` where it has none."""
    try:
        envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNDECODABLE as error:
        raise Unreadable("", f"the body cannot be read: {_said(error)}", "send one JSON object in UTF-8") from error
    if kind.plural not in envelope:
        return [msgspec.Raw(body)], Client()
    many = _field(envelope, kind.plural, list[msgspec.Raw])
    if len(many) > limits.most:
        raise TooMany(kind.plural, f"{len(many)} {kind.plural} in one body", f"send at most {limits.most}")
    return many, _field(envelope, "client", Client) if "client" in envelope else Client()


def _field(envelope: Mapping[str, msgspec.Raw], name: str, expected: Any) -> Any:
    try:
        return msgspec.json.decode(envelope[name], type=expected)
    except UNDECODABLE as error:
        inner, said = _place(_said(error))
        field = f"{name}.{inner}" if inner else name
        raise Unreadable(field, f"{field} cannot be read: {said}", "see /openapi.json") from error


def take(raw: msgspec.Raw, kind: Kind[M], tenant: str, now: datetime, limits: Limits) -> Taken:
    """The message in `raw`, stamped with the tenant of the credential; `Rejected` where it cannot be taken."""
    if len(memoryview(raw)) > limits.largest_bytes:
        raise Rejected("", f"it has {len(memoryview(raw))} bytes", f"send at most {limits.largest_bytes} bytes")
    message = _decoded(raw, kind)
    if message.tenant not in ("", tenant):
        raise Rejected("tenant", "the tenant is another one than the key's", "leave it out: the key says it")
    _check_time(getattr(message, kind.time_field), kind.time_field, now, limits)
    if isinstance(message, Call):
        _check_call(message)
    stamped = msgspec.structs.replace(message, tenant=tenant)
    value, payload = stamped.encode(), None
    if isinstance(stamped, Call) and len(value) > limits.inline_bytes:
        value, payload = _by_reference(stamped)
    if len(value) > limits.largest_message_bytes:
        what = "all but its texts has" if payload else "it has"
        remedy = f"send at most {limits.largest_message_bytes} bytes"
        raise Rejected("", f"{what} {len(value)} bytes", remedy)
    return Taken(str(getattr(message, kind.id_field)), stamped.key.encode(), value, payload)


def _by_reference(call: Call) -> tuple[bytes, Payload]:
    light, data = apart(call)
    return light.encode(), Payload(place(call, Reference.of(data).digest), data)


def _decoded(raw: msgspec.Raw, kind: Kind[M]) -> M:
    try:
        return msgspec.json.decode(raw, type=kind.message)
    except msgspec.ValidationError as error:
        field, said = _place(str(error))
        raise Rejected(field, said, _remedy(field, kind)) from error
    except UNDECODABLE as error:
        raise Rejected("", f"no JSON: {_said(error)}", "send JSON in UTF-8, surrogates only in pairs") from error


def _place(text: str) -> tuple[str, str]:
    """Where a validation error happened, and what it says.

    >>> _place("Expected `str`, got `int` - at `$.messages[0].content`")
    ('messages[0].content', 'Expected `str`, got `int`')
    >>> _place("Object missing required field `app`")
    ('app', 'Object missing required field `app`')
    """
    path, missing = PATH.search(text), MISSING.search(text)
    places = [path["path"] if path else "", missing["field"] if missing else ""]
    return ".".join(filter(None, places)), PATH.sub("", text)


def _remedy(field: str, kind: Kind[Any]) -> str:
    if field == kind.id_field:
        return "send a UUID (version 7) that is made once, so that a repeat is known as one"
    if field == kind.time_field:
        return "send RFC 3339 with a time zone, as 2026-01-31T12:00:00Z"
    return f"send {field or 'it'} as /openapi.json describes it"


def _said(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _check_time(moment: datetime, field: str, now: datetime, limits: Limits) -> None:
    if moment > now + limits.ahead:
        raise Rejected(field, f"{field} lies {moment - now} ahead of the gateway's clock", "set the sender's clock")
    if moment < now - limits.oldest:
        raise Rejected(field, f"{field} is older than {limits.oldest.days} days", "it is past retention: drop it")


def _check_call(call: Call) -> None:
    if call.payload_reference is not None:
        raise Rejected("payload_reference", "payload_reference is made here", "leave it out and send the texts")
    if not re.fullmatch(LABEL, call.version):
        raise Rejected("version", "version contains | or a control character", "use another label")
    for name in PATH_PARTS:
        if not re.fullmatch(NAME, getattr(call, name)):
            said = f"{name} contains |, / or a control character, or is . or .."
            raise Rejected(name, said, "use another name")
    for name in IDENTIFIERS:
        if len(getattr(call, name) or "") > LONGEST_NAME:
            raise Rejected(name, f"{name} is longer than {LONGEST_NAME} characters", "shorten it")
    for name in COLLECTIONS:
        _check_collection(name, getattr(call, name))
    for name, number in _integers(call):
        if not 0 <= number <= LARGEST_INTEGER:
            raise Rejected(name, f"{name} is {number}", f"send a whole number from 0 to {LARGEST_INTEGER}")


def _check_collection(name: str, entries: Mapping[str, object] | Sequence[object]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Rejected(name, f"{name} has {len(entries)} entries", f"send at most {MOST_ENTRIES}")
    if isinstance(entries, Mapping) and any(len(entry) > LONGEST_NAME for entry in entries):
        raise Rejected(name, f"a name in {name} is longer than {LONGEST_NAME} characters", "shorten it")


def _integers(call: Call) -> Iterator[tuple[str, int]]:
    counted = {f"tokens.{name}": getattr(call.tokens, name) for name in ("input", "output", "cached", "reasoning")}
    for name, number in {**counted, "sequence": call.sequence}.items():
        if number is not None:
            yield name, number


def named(raw: msgspec.Raw, kind: Kind[Any]) -> Any:
    """The id of a message that cannot be taken, as it was sent; None where it has none."""
    try:
        sent = msgspec.json.decode(raw, type=dict[str, Any])
    except UNDECODABLE:
        return None
    given = sent.get(kind.id_field)
    return given if isinstance(given, str) else None


class TokenBucket:
    """A rate with a burst: `rate` tokens a second, at most `burst` at once.

    >>> bucket = TokenBucket(rate=10, burst=20, now_seconds=0)
    >>> bucket.take(20, 0), bucket.take(5, 0), bucket.take(5, 0.5)
    (0.0, 0.5, 0.0)
    """

    def __init__(self, rate: float, burst: float, now_seconds: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at_seconds = burst, now_seconds

    def take(self, tokens: float, now_seconds: float) -> float:
        """Take the tokens and return 0, or take none and return the seconds until they are there."""
        refilled = self._tokens + (now_seconds - self._at_seconds) * self._rate
        self._tokens, self._at_seconds = min(self._burst, refilled), now_seconds
        if tokens > self._tokens:
            return (min(tokens, self._burst) - self._tokens) / self._rate
        self._tokens -= tokens
        return 0.0
