"""What cannot be taken, with its origin and the reason."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from schemas.ids import derived_id
from schemas.messages import DeadLetter
from schemas.topics import dead_letters
from services.shared import metrics
from services.shared.errors import Refused
from services.shared.producer import Outgoing, Producer
from services.shared.record import REDRIVE_HEADER, REPLAY_HEADER

LONGEST_REASON = 2000
MOST_REDRIVES = 255
NOWHERE = -1  # the partition and offset of what never came to lie anywhere


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
            headers={name: (value or b"").decode(errors="replace") for name, value in raw.headers},
            error=type(error).__name__,
            reason=(str(error) or type(error).__name__)[:LONGEST_REASON],
            failed_at=now,
            redrives=_redrives(raw),
        )

    def of_output(self, output: Outgoing, error: BaseException, *, now: datetime) -> DeadLetter:
        """The letter for an output that Kafka refuses and that no single message caused.

        Its topic is where it should have gone; it has no offset, and its id is a function of its content.
        """
        content = sha256(output.key + b"|" + output.value).hexdigest()
        return DeadLetter(
            dead_letter_id=derived_id("dead_letter", self._service, self.broker_run, output.topic, content),
            service=self._service,
            stage="handle",
            topic=output.topic,
            partition=NOWHERE,
            offset=NOWHERE,
            broker_run=self.broker_run,
            message_key=output.key,
            message_value=output.value,
            headers={name: value.decode(errors="replace") for name, value in output.headers},
            error=type(error).__name__,
            reason=(str(error) or type(error).__name__)[:LONGEST_REASON],
            failed_at=now,
        )

    async def publish(self, producer: Producer, letters: Sequence[DeadLetter], stage: str) -> None:
        """Publish and count the letters; one that Kafka refuses goes without what the message brought, and says so."""
        if not letters:
            return
        try:
            await producer.publish([self.outgoing(letter) for letter in letters])
        except Refused as refused:
            await producer.publish([self.outgoing(_bare(letters[index])) for index in refused.errors])
        metrics.DEAD_LETTERS.labels(self._service, stage).inc(len(letters))

    def outgoing(self, letter: DeadLetter) -> Outgoing:
        """The letter as it goes to `dlq.<service>`; one from a replay stays marked."""
        headers = [(REPLAY_HEADER, b"1")] if REPLAY_HEADER in letter.headers else []
        return Outgoing(self._topic, letter.key.encode(), letter.encode(), tuple(headers))


def _bare(letter: DeadLetter) -> DeadLetter:
    size = len(letter.message_value or b"")
    reason = f"{letter.reason} (the message's {size} bytes and its headers are too many for a letter; see its origin)"
    mark = {name: value for name, value in letter.headers.items() if name == REPLAY_HEADER}
    return msgspec.structs.replace(letter, message_key=None, message_value=None, headers=mark, reason=reason)


def _redrives(raw: ConsumerRecord) -> int:
    counts = [value for name, value in raw.headers if name == REDRIVE_HEADER]
    # Anybody may write a header: a count that no column holds would make the letter itself unwritable.
    return min(int(counts[-1][:9]), MOST_REDRIVES) if counts and counts[-1] and counts[-1].isdigit() else 0
