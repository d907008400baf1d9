"""What one client instance works with: made together, let go together."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tidemark import ids
from tidemark.delivery import Backoff, Delivery
from tidemark.ledger import Ledger
from tidemark.preparing import Preparer
from tidemark.rejects import Rejects
from tidemark.reports import Reports
from tidemark.spool import Spool

if TYPE_CHECKING:
    from tidemark.settings import Settings
    from tidemark.transport import Transport
    from tidemark.transport_http import Http

REJECTED = "rejected.jsonl"


class Parts:
    """Everything behind the queue. Making it opens no connection and no file but the ledger."""

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self.instance = ids.fresh()
        folder = settings.folder
        self.reports = Reports()
        self.preparer = Preparer(settings, instance=self.instance)
        self.spool = Spool(folder, instance=self.instance, max_bytes=settings.spool_bytes)
        self.ledger = Ledger(settings.ledger) if settings.ledger else None
        self.transport = transport or connect(settings, self.instance)
        self.delivery = Delivery(
            self.transport,
            spool=self.spool,
            ledger=self.ledger,
            rejects=Rejects(folder / REJECTED),
            backoff=Backoff(longest_seconds=settings.longest_backoff_seconds),
        )

    def abandon(self) -> None:
        """Let go of the files that a fork copied. Connections are left to the garbage: closing may send something."""
        self.spool.abandon()
        if self.ledger:
            self.ledger.abandon()

    def close(self) -> None:
        """Let everything go."""
        self.transport.close()
        self.spool.close()
        if self.ledger:
            self.ledger.close()


def connect(settings: Settings, instance: str) -> Transport:
    """The transport that the settings name.

    Imported here and not above: `http.client` costs an application more time to import than everything else.
    """
    if settings.transport == "kafka":
        made: Transport = import_module("tidemark.transport_kafka").connect(settings)
    else:
        made = import_module("tidemark.transport_http").connect(settings, instance)
    return made


def asker(settings: Settings) -> Http:
    """A connection to the gateway for small questions; imported late for the same reason."""
    made: Http = import_module("tidemark.transport_http").Http(
        settings.url, api_key=settings.api_key, timeout_seconds=settings.request_seconds
    )
    return made
