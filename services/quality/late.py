"""What was said of calls after they were made, turned into scores when the calls are stored."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from schemas.messages import Call, Feedback, Score
from schemas.topics import SCORES
from services.quality import metrics
from services.quality.quality import Opinions, QualityScorer
from services.quality.store import Calls, Key
from services.quality.waiting import Waiting
from services.shared.errors import Refused, Transient
from services.shared.process import Process
from services.shared.producer import Producer, Writes

log = logging.getLogger(__name__)

TOGETHER = 200
PAUSE_SECONDS = 0.5
Aside = Callable[[Callable[[], Any]], Awaitable[Any]]


@dataclass
class Answers:
    """The scores of what was judged, and which feedback is done and which has no call yet."""

    scores: list[Score] = field(default_factory=list)
    done: list[UUID] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)
    failed: int = 0  # of those that are done


@dataclass(frozen=True)
class Judge:
    """Finds the calls that feedback is of, and scores them again. For one thread at a time."""

    calls: Calls
    whole: Callable[[Call], Call]
    scorer: Callable[[], QualityScorer]

    def answers(self, given: Sequence[Feedback]) -> Answers:
        """What is said of one call is judged together; raises `Transient` where the stored calls are away."""
        by_call: dict[Key, list[Feedback]] = defaultdict(list)
        for each in given:
            by_call[each.tenant, each.call_id].append(each)
        found, answers = self.calls.found(list(by_call)), Answers()
        for key, opinions in by_call.items():
            ids = [each.feedback_id for each in opinions]
            if key in found:
                self._judge(found[key], Opinions(opinions), answers)
                answers.done += ids
            else:
                answers.missing += ids
        return answers

    def _judge(self, call: Call, said: Opinions, answers: Answers) -> None:
        """Adds what is said of one call; its payload is read only for what is held against the response."""
        scorer = self.scorer()
        try:
            answers.scores += scorer.late(self.whole(call) if said.of_text else call, said)
        except Transient:
            raise
        except Exception as error:  # of one call: the others must not wait for it
            log.exception("What was said of a call cannot be scored", extra={"call_id": str(call.call_id)})
            answers.scores += scorer.unread(call, said, error)
            answers.failed += len(said.of_text)


class Late:
    """A runtime: scores what waits, for as long as the process runs.

    Delivery: feedback is forgotten when Kafka has acknowledged the scores, so they may come again, with the same ids
    and values. ClickHouse away: it waits, and calls are scored all the same.
    """

    name = "late"

    def __init__(self, waiting: Waiting, judge: Judge) -> None:
        self._waiting, self._judge = waiting, judge

    async def run(self, process: Process) -> None:
        """Look at what is due, again and again, until the process is to stop."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            async with Producer(process.kafka) as producer:
                while not process.stopping.is_set():
                    busy = await self._round(process, producer, lambda work: loop.run_in_executor(thread, work))
                    if not busy:
                        await process.stopped_within(PAUSE_SECONDS)

    async def _round(self, process: Process, producer: Producer, aside: Aside) -> bool:
        now = process.clock().timestamp()
        try:
            answers = await aside(lambda: self._answers(now))
        except Transient as error:
            process.health.unready(self.name, f"waiting for what is away: {error}")
            log.warning("What was said of calls waits for what is away: %s", error)
            return False
        process.health.ready(self.name)
        try:
            await producer.send(answers.scores, Writes(SCORES))
        except Refused as refused:
            log.error("Kafka refuses late scores: %s", refused)
        try:
            await aside(lambda: self._settle(answers, now))
        except Transient as error:
            log.warning("Late scores are sent and not noted: %s; they come again", error)
            return False
        return bool(answers.done)

    def _answers(self, now: float) -> Answers:
        due = self._waiting.due(now, TOGETHER)
        return self._judge.answers(due) if due else Answers()

    def _settle(self, answers: Answers, now: float) -> None:
        list(metrics.SCORES.counted(answers.scores))
        if answers.done:
            self._waiting.settle(answers.done)
        if answers.missing:
            self._waiting.postpone(answers.missing, now)
        metrics.OPINIONS.labels("scored").inc(len(answers.done) - answers.failed)
        metrics.OPINIONS.labels("failed").inc(answers.failed)
        metrics.OPINIONS.labels("given_up").inc(self._waiting.give_up(now))
        metrics.WAITING.set(self._waiting.count())
