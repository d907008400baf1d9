"""A numbered call that the gateway refused for good."""

from typing import Annotated

import msgspec

from schemas.messages.message import Message, Name, Timestamp


class Refusal(Message, frozen=True, kw_only=True, tag="refusal.v1"):
    """The number of a refused call, so that it is not taken for missing; nothing of the call itself.

    `field` is what the verdict named.
    """

    tenant: str = ""  # of the credential
    client_instance: Name
    sequence: Annotated[int, msgspec.Meta(ge=0)]
    field: str = ""
    refused_at: Timestamp

    @property
    def key(self) -> str:
        """`tenant|client_instance`."""
        return f"{self.tenant}|{self.client_instance}"
