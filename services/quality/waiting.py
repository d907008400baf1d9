"""Feedback that is recorded and not scored yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, case, delete, func, insert, select, update

from schemas.messages import Feedback
from services.quality.tables import WAITING
from services.shared.database import away_is_transient

ROW_BYTES = 500  # what a row takes beside its message, generously
LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True)
class Waiting:
    """Feedback on the disk, by id: what was recorded survives kill -9 and power loss, and a repeat changes nothing.

    Whoever recorded it scores it: it is bound to no partition, so a rebalance moves nothing. Every method raises
    `Transient` where the database is away. At most `most_bytes` wait, each for at most `patience_seconds`.
    """

    engine: Engine
    most_bytes: int
    patience_seconds: float

    def record(self, given: Sequence[Feedback], now: float) -> None:
        """Keep what was given; it is due at once."""
        new = {str(each.feedback_id): each for each in given}
        with away_is_transient(), self.engine.begin() as connection:
            known = connection.execute(select(WAITING.c.feedback_id).where(WAITING.c.feedback_id.in_(new))).scalars()
            for name in known.all():
                del new[name]
            if new:
                connection.execute(insert(WAITING), [_row(each, now) for each in new.values()])

    def due(self, now: float, most: int) -> list[Feedback]:
        """What is to be looked at, the longest due first."""
        statement = select(WAITING.c.message).where(WAITING.c.due_at_seconds <= now)
        with away_is_transient(), self.engine.connect() as connection:
            rows = connection.execute(statement.order_by(WAITING.c.due_at_seconds).limit(most)).scalars().all()
        return [Feedback.decode(message) for message in rows]

    def settle(self, ids: Sequence[UUID]) -> None:
        """Forget what is done."""
        with away_is_transient(), self.engine.begin() as connection:
            connection.execute(delete(WAITING).where(WAITING.c.feedback_id.in_(list(map(str, ids)))))

    def postpone(self, ids: Sequence[UUID], now: float) -> None:
        """Look at these again when they have waited twice as long: after 1 s, 2 s, 4 s, …, at last once a minute."""
        age = now - WAITING.c.added_at_seconds
        pause = case((age < 1.0, 1.0), (age > LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS), else_=age)
        later = update(WAITING).where(WAITING.c.feedback_id.in_(list(map(str, ids))))
        with away_is_transient(), self.engine.begin() as connection:
            connection.execute(later.values(due_at_seconds=now + pause))

    def give_up(self, now: float) -> int:
        """Forget what has waited too long, and the oldest of what is too much; how many that were."""
        newest_first = func.sum(WAITING.c.bytes).over(order_by=WAITING.c.added_at_seconds.desc())
        held = select(WAITING.c.feedback_id, newest_first.label("held")).subquery()
        too_much = select(held.c.feedback_id).where(held.c.held > self.most_bytes)
        old = WAITING.c.added_at_seconds < now - self.patience_seconds
        with away_is_transient(), self.engine.begin() as connection:
            total = connection.execute(select(func.coalesce(func.sum(WAITING.c.bytes), 0))).scalar_one()
            gone = old | WAITING.c.feedback_id.in_(too_much) if total > self.most_bytes else old
            return connection.execute(delete(WAITING).where(gone)).rowcount

    def count(self) -> int:
        """How much waits."""
        with away_is_transient(), self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(WAITING)).scalar_one())


def _row(given: Feedback, now: float) -> dict[str, object]:
    message = given.encode()
    size = len(message) + ROW_BYTES
    times = {"added_at_seconds": now, "due_at_seconds": now}
    return {"feedback_id": str(given.feedback_id), "message": message, "bytes": size, **times}
