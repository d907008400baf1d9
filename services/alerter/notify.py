"""Telling people, without ever holding up a judgement."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from apprise import Apprise, NotifyType
from pydantic import SecretStr
from sqlalchemy import Row

from services.alerter.metrics import NOTIFICATIONS
from services.alerter.store import Notifications

LOG = logging.getLogger(__name__)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0
POLL_SECONDS = 1.0
KINDS = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}


class NotificationError(ValueError):
    """A notification address that cannot be used; the text shows no secret."""


def channels(addresses: Sequence[SecretStr]) -> dict[str, Apprise]:
    """The Apprise channels of `addresses`, each under a name that tells nothing of its secrets.

    Raises `NotificationError` for an address that Apprise does not understand.
    """
    found: dict[str, Apprise] = {}
    for index, address in enumerate(addresses, 1):
        channel = Apprise()
        if not channel.add(address.get_secret_value()):
            raise NotificationError(f"address {index} of TIDEMARK_ALERTER_NOTIFY is no Apprise URL. Correct it.")
        found[hashlib.sha256(address.get_secret_value().encode()).hexdigest()[:16]] = channel
    return found


async def deliver(notifications: Notifications, channels: Mapping[str, Apprise]) -> None:
    """Send what is due, for ever; what a channel does not take is tried again with growing pauses."""
    while True:
        await asyncio.to_thread(deliver_due, notifications, channels, time.time())
        await asyncio.sleep(POLL_SECONDS)


def deliver_due(notifications: Notifications, channels: Mapping[str, Apprise], now_seconds: float) -> None:
    """Send what is due once; a channel that is not configured any more is given up at once."""
    for row in notifications.due(now_seconds):
        channel = channels.get(row.channel)
        if channel is None or _taken(channel, row):
            notifications.sent(row, now_seconds)
            NOTIFICATIONS.labels("sent" if channel else "given_up").inc()
        else:
            notifications.failed(row, now_seconds + pause_seconds(row.attempts), "not taken")
            NOTIFICATIONS.labels("failed").inc()
            LOG.warning("A notification was not taken.", extra={"channel": row.channel, "attempts": row.attempts + 1})


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many failures.

    >>> [pause_seconds(attempts) for attempts in (0, 1, 20)]
    [5.0, 10.0, 600.0]
    """
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempts, 20)))


def _taken(channel: Apprise, row: Row[Any]) -> bool:
    return bool(channel.notify(title=row.title, body=row.body, notify_type=KINDS[row.severity]))
