"""Large calls by reference: the heavy fields apart, what stays in the message, and both together again."""

from collections.abc import Mapping
from datetime import UTC
from hashlib import sha256
from typing import NamedTuple

import msgspec
from msgspec.structs import asdict, replace

from schemas.messages import Call, ChatMessage, Choice, Document, ExpectedFormat, ToolCall
from schemas.messages.message import Json

KEPT_CHARACTERS = 2000  # of each text that stays in the message, so that a page shows something sensible
CUT = "…"


class Heavy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of a call that may be large: everything that its author or its model wrote."""

    parameters: Mapping[str, Json] = {}
    prompt: str | None = None
    messages: tuple[ChatMessage, ...] = ()
    system_prompt: str | None = None
    context: tuple[Document, ...] = ()
    response: str | None = None
    choices: tuple[Choice, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    expected_format: ExpectedFormat | None = None
    reference: str | None = None
    attributes: Mapping[str, Json] = {}


class Reference(NamedTuple):
    """What the bytes of a payload are: their SHA-256 (hexadecimal) and how many there are.

    >>> Reference.parse(str(Reference("ab" * 32, 7))).size
    7
    """

    digest: str
    size: int

    def __str__(self) -> str:
        return f"sha256:{self.digest}:{self.size}"

    @classmethod
    def of(cls, data: bytes) -> "Reference":
        """The reference of `data`."""
        return cls(sha256(data).hexdigest(), len(data))

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """The reference that `text` says; raises ValueError where it is none."""
        kind, _, rest = text.partition(":")
        digest, _, size = rest.partition(":")
        if kind != "sha256" or len(digest) != 64 or set(digest) - set("0123456789abcdef") or not size.isdecimal():
            raise ValueError(f"payload_reference is none that the gateway makes: {text[:100]!r}")
        return cls(digest, int(size))


def place(call: Call, digest: str) -> str:
    """Where the payload of a call lies in the store: by day of the call, tenant and content.

    By day, so that retention removes whole days. The tenant is the call's, never the reference's: no reference can
    name what belongs to somebody else. It is hashed, since names are data.
    """
    day = call.called_at.astimezone(UTC).date().isoformat()
    return f"{day}/{sha256(call.tenant.encode()).hexdigest()[:32]}/{digest}"


def apart(call: Call) -> tuple[Call, bytes]:
    """The call with a reference in place of its heavy fields, and the bytes that the reference is of.

    Texts keep their beginning; of the conversation the last turn of the user stays, of the choices the first.
    """
    data = _ENCODER.encode(Heavy(**{name: getattr(call, name) for name in Heavy.__struct_fields__}))
    users = [turn for turn in call.messages if turn.role == "user"]
    kept = replace(
        replace(call, **_NOTHING),
        prompt=_cut(call.prompt),
        system_prompt=_cut(call.system_prompt),
        response=_cut(call.response),
        reference=_cut(call.reference),
        messages=tuple(replace(turn, content=_shortened(turn.content)) for turn in users[-1:]),
        choices=tuple(
            Choice(text=_shortened(each.text), finish_reason=each.finish_reason) for each in call.choices[:1]
        ),
        payload_reference=str(Reference.of(data)),
    )
    return kept, data


def together(call: Call, data: bytes) -> Call:
    """The call as it was before `apart`, but for its reference; raises ValueError where `data` is no payload."""
    try:
        heavy = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the payload cannot be read: {error}") from error
    return replace(call, **{name: getattr(heavy, name) for name in Heavy.__struct_fields__})


def _cut(text: str | None) -> str | None:
    return None if text is None else _shortened(text)


def _shortened(text: str) -> str:
    if len(text) <= KEPT_CHARACTERS:
        return text
    return text[: KEPT_CHARACTERS - len(CUT)] + CUT


_NOTHING = asdict(Heavy())
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Heavy)
