"""What cannot be taken, with its origin and the reason."""

from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from schemas.ids import derived_id
from schemas.messages import DeadLetter
from schemas.topics import dead_letters
from services.shared.producer import Outgoing
from services.shared.record import REDRIVE_HEADER, REPLAY_HEADER

LONGEST_REASON = 2000


class DeadLetters:
    """Writes the dead letters of one service in one run of the broker.

    The id is a function of service, broker run, topic, partition and offset: the same message gives the same letter.
    """

    def __init__(self, service: str, broker_run: str) -> None:
        self._service, self.broker_run = service, broker_run
        self._topic = dead_letters(service).name

    def letter(self, raw: ConsumerRecord, topic: str, stage: Any, error: Exception, *, now: datetime) -> DeadLetter:
        """The letter for `raw`, of `topic` (without prefix), that failed with `error` in `stage`."""
        return DeadLetter(
            dead_letter_id=derived_id("dead_letter", self._service, self.broker_run, topic, raw.partition, raw.offset),
            service=self._service,
            stage=stage,
            topic=topic,
            partition=raw.partition,
            offset=raw.offset,
            broker_run=self.broker_run,
            message_key=raw.key,
            message_value=raw.value,
            headers={name: value.decode(errors="replace") for name, value in raw.headers},
            error=type(error).__name__,
            reason=(str(error) or type(error).__name__)[:LONGEST_REASON],
            failed_at=now,
            redrives=_redrives(raw),
        )

    def outgoing(self, letter: DeadLetter) -> Outgoing:
        """The letter as it goes to `dlq.<service>`; one from a replay stays marked."""
        headers = [(REPLAY_HEADER, b"1")] if REPLAY_HEADER in letter.headers else []
        return Outgoing(self._topic, letter.key.encode(), letter.encode(), tuple(headers))


def _redrives(raw: ConsumerRecord) -> int:
    counts = [value for name, value in raw.headers if name == REDRIVE_HEADER]
    return int(counts[-1]) if counts and counts[-1].isdigit() else 0
