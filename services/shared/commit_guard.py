"""A Faust transport that never commits over a message that is not acknowledged."""

from typing import Any

from faust.transport.drivers.aiokafka import Consumer, Transport


class GuardedConsumer(Consumer):
    """Caps what Faust would commit at the smallest offset in hand.

    Faust lets a hole of one message at the head of what is acknowledged pass, and any hole in a group that has
    committed nothing (faust#606).
    """

    def _new_offset(self, tp: Any) -> int | None:
        in_hand = [message.offset for message in self._unacked_messages if message.tp == tp and not message.acked]
        if not in_hand:
            return super()._new_offset(tp)
        first = min(in_hand)
        # What lies beyond stays where it is, for the commit that follows the acknowledgement of `first`.
        beyond = [offset for offset in self._acked[tp] if offset > first]
        self._acked[tp] = [offset for offset in self._acked[tp] if offset < first]
        try:
            return super()._new_offset(tp)
        finally:
            self._acked[tp].extend(beyond)


class GuardedTransport(Transport):
    """Faust's Kafka transport with the guard."""

    Consumer = GuardedConsumer
