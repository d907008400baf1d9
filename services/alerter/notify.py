"""Telling people, without ever holding up a judgement."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import Row

from services.alerter.metrics import NOTIFICATIONS
from services.alerter.store import Notifications
from services.shared.process import Process

if TYPE_CHECKING:
    from apprise import Apprise

LOG = logging.getLogger(__name__)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
POLL_SECONDS = 1.0
TEXT = "text"
KINDS = {"info": "info", "warning": "warning", "critical": "failure"}  # Apprise's words


class NotificationError(ValueError):
    """A notification address that cannot be used; the text shows no secret."""


def channels(addresses: SecretStr) -> "dict[str, Apprise]":
    """The Apprise channels of `addresses`, white space between, each under a name that tells no secret.

    Raises `NotificationError` for an address that Apprise does not understand.
    """
    given = addresses.get_secret_value().split()
    return _opened(given) if given else {}


def _opened(addresses: Sequence[str]) -> "dict[str, Apprise]":
    from apprise import Apprise  # noqa: PLC0415 - half a second and 30 MB for who tells nobody

    found = {}
    for index, address in enumerate(addresses, 1):
        channel = Apprise()
        if not channel.add(address):
            raise NotificationError(f"address {index} of TIDEMARK_ALERTER_NOTIFY is no Apprise URL. Correct it.")
        found[hashlib.sha256(address.encode()).hexdigest()[:16]] = channel
    return found


class Notifier:
    """Sends what is due, for as long as the process runs; what a channel does not take is tried again.

    Each channel has a thread of its own: a receiver that is slow, away or throttled holds up nobody else. A channel
    that is not configured any more is given up.
    """

    name = "notifier"

    def __init__(self, notifications: Notifications, channels: "Mapping[str, Apprise]") -> None:
        self._notifications, self._channels = notifications, channels

    async def run(self, process: Process) -> None:
        """Send until the process is to stop; what is on its way then is waited for."""
        given_up = self._notifications.give_up(self._channels, process.clock().timestamp())
        NOTIFICATIONS.labels("given_up").inc(given_up)
        with ThreadPoolExecutor(max(1, len(self._channels)), thread_name_prefix="notify") as threads:
            await asyncio.gather(
                process.stopping.wait(), *(self._keep(name, process, threads) for name in self._channels)
            )

    async def _keep(self, name: str, process: Process, threads: ThreadPoolExecutor) -> None:
        def deliver() -> bool:
            return deliver_next(self._notifications, name, self._channels[name], process.clock().timestamp())

        loop = asyncio.get_running_loop()
        while not process.stopping.is_set():
            if not await loop.run_in_executor(threads, deliver):
                await process.stopped_within(POLL_SECONDS)


def deliver_next(notifications: Notifications, name: str, channel: "Apprise", now_seconds: float) -> bool:
    """Send the oldest that is due through the channel `name`; whether there was any."""
    row = notifications.due(name, now_seconds)
    if row is None:
        return False
    if _taken(channel, row):
        notifications.sent(row, now_seconds)
        NOTIFICATIONS.labels("sent").inc()
    else:
        notifications.failed(row, now_seconds + pause_seconds(row.attempts), "not taken")
        NOTIFICATIONS.labels("failed").inc()
        LOG.warning("A notification was not taken.", extra={"channel": name, "attempts": row.attempts + 1})
    return True


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many failures.

    >>> [pause_seconds(attempts) for attempts in (0, 1, 20)]
    [5.0, 10.0, 600.0]
    """
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempts, 20)))


def _taken(channel: "Apprise", row: Row[Any]) -> bool:
    # Without it a channel that sends HTML, as mail does, takes for markup whatever anybody's calls name a version.
    return bool(channel.notify(title=row.title, body=row.body, notify_type=KINDS[row.severity], body_format=TEXT))
