"""From a batch of messages to one verdict each."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.topics import CALLS, FEEDBACK, REFUSALS, Topic
from services.gateway import gateway, metrics
from services.gateway.gateway import Kind, Limits, Rejected, Taken, Verdict
from services.gateway.refusals import refusal
from services.gateway.spool import Entry, Spool
from services.shared.object_store import ObjectStore

log = logging.getLogger(__name__)

TOPICS: Mapping[str, Topic[Any]] = {gateway.CALL.plural: CALLS, gateway.FEEDBACK.plural: FEEDBACK}
REASON = "Kafka did not take it in time"
UNKEPT = "the store of payloads does not take it"


class Sender(Protocol):
    """What the gateway needs of a producer."""

    async def send_all(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """Send in order and wait; whether each was acknowledged."""


class _Answer(NamedTuple):
    """A verdict, and what Kafka has to take before it may be given."""

    verdict: Verdict
    entry: Entry | None


class Intake:
    """Checks, stamps and sends messages; with a spool they are on disk, too, before they count as stored.

    A verdict is `stored` only after Kafka has acknowledged the message, and `rejected`, where the call is numbered,
    only after Kafka has the number. What Kafka did not take is `retry`; with a spool it may arrive all the same, later:
    the sender's repeat is then the same message, known by its id. The payload of a large call is durable before
    anything of the call is sent.
    """

    def __init__(
        self,
        sender: Sender,
        spool: Spool | None,
        limits: Limits,
        clock: Callable[[], datetime],
        *,
        payloads: ObjectStore,
    ) -> None:
        self._sender, self._spool, self._limits, self._clock = sender, spool, limits, clock
        self._payloads = payloads

    async def accept(self, raws: Sequence[msgspec.Raw], kind: Kind[Any], tenant: str) -> list[Verdict]:
        """The verdicts, in order."""
        now = self._clock()
        judged = await self._kept([self._judge(raw, kind, tenant, now) for raw in raws], kind)
        answers = [_answer(raw, each, kind, tenant, now=now) for raw, each in zip(raws, judged, strict=True)]
        acknowledged = iter(await self._deliver([each.entry for each in answers if each.entry]))
        verdicts = [
            each.verdict if each.entry is None or next(acknowledged) else _again(each.verdict) for each in answers
        ]
        _count(kind, verdicts, answers)
        return verdicts

    def _judge(self, raw: msgspec.Raw, kind: Kind[Any], tenant: str, now: datetime) -> Taken | Verdict:
        try:
            return gateway.take(raw, kind, tenant, now, self._limits)
        except Rejected as error:
            said = {"field": error.field, "message": error.message, "remedy": error.remedy}
            return Verdict(**{kind.id_field: gateway.named(raw, kind)}, status="rejected", **said)

    async def _kept(self, judged: Sequence[Taken | Verdict], kind: Kind[Any]) -> Sequence[Taken | Verdict]:
        """The same, each payload in the store; `retry` in place of what the store did not take."""
        results = list(judged)
        for place, message in enumerate(results):
            if isinstance(message, Taken) and message.payload is not None:
                try:
                    await asyncio.to_thread(self._payloads.put, message.payload.key, message.payload.data)
                except Exception as error:  # every file system of fsspec has errors of its own
                    log.warning("A payload cannot be kept: %r", error)
                    results[place] = Verdict(**{kind.id_field: message.message_id}, status="retry", message=UNKEPT)
                else:
                    metrics.PAYLOAD_BYTES.inc(len(message.payload.data))
        return results

    async def _deliver(self, entries: Sequence[Entry]) -> Sequence[bool]:
        if not entries:
            return []
        if self._spool is None:
            return await self._sender.send_all(entries)
        # Disk and broker at the same time: the slower of the two decides, not their sum.
        spooled, sent = await asyncio.gather(
            self._spool.append(entries), self._sender.send_all(entries), return_exceptions=True
        )
        if isinstance(spooled, BaseException):
            raise spooled
        spooled.settle(acknowledged=not isinstance(sent, BaseException) and all(sent))
        if isinstance(sent, BaseException):
            raise sent
        return sent


def _answer(raw: msgspec.Raw, judged: Taken | Verdict, kind: Kind[Any], tenant: str, *, now: datetime) -> _Answer:
    if isinstance(judged, Taken):
        verdict = Verdict(**{kind.id_field: judged.message_id}, status="stored")
        return _Answer(verdict, Entry(TOPICS[kind.plural].name, judged.key, judged.value))
    refused = kind is gateway.CALL and judged.status == "rejected"
    number = refusal(raw, judged.field or "", tenant, now) if refused else None
    return _Answer(judged, Entry(REFUSALS.name, number.key.encode(), number.encode()) if number else None)


def _again(verdict: Verdict) -> Verdict:
    return Verdict(call_id=verdict.call_id, feedback_id=verdict.feedback_id, status="retry", message=REASON)


def _count(kind: Kind[Any], verdicts: Sequence[Verdict], answers: Sequence[_Answer]) -> None:
    for verdict in verdicts:
        metrics.MESSAGES.labels(kind.plural, verdict.status).inc()
    taken = [each.entry for each in answers if each.entry and each.verdict.status == "stored"]
    metrics.BYTES.labels(kind.plural).inc(sum(len(entry.value) for entry in taken))
