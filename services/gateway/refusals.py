"""The numbers of refused calls, so that nobody takes them for missing."""

from datetime import datetime

import msgspec

from schemas.messages import UNDECODABLE, Refusal
from services.gateway.gateway import LARGEST_INTEGER, LONGEST_NAME


class _Numbered(msgspec.Struct):
    client_instance: str
    sequence: int


def refusal(raw: msgspec.Raw, field: str, tenant: str, now: datetime) -> Refusal | None:
    """What is told of a refused call; None where it carries no number of a client instance.

    >>> raw = msgspec.Raw(b'{"client_instance": "0199", "sequence": 4, "app": 7}')
    >>> refusal(raw, "app", "acme", datetime.max).sequence
    4
    """
    try:
        sent = msgspec.json.decode(raw, type=_Numbered)
    except UNDECODABLE:
        return None
    if not (0 < len(sent.client_instance) <= LONGEST_NAME and 0 <= sent.sequence <= LARGEST_INTEGER):
        return None
    return Refusal(
        tenant=tenant, client_instance=sent.client_instance, sequence=sent.sequence, field=field, refused_at=now
    )
