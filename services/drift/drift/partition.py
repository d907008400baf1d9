"""The open windows and the references of one partition of embeddings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np
from msgspec.structs import replace

from schemas.ids import window_id
from schemas.messages import Deployment, DriftTest, Embedding, Segment, Window
from services.drift.drift.arrays import CPU, Arrays
from services.drift.drift.mmd import Ints, Kernel, batches
from services.drift.drift.reference import REFERENCES_KEPT, Reference, References, Space, check, predecessor, space_of
from services.drift.drift.sample import SMALLEST_PROBABILITY, Sample, vectors_of
from services.shared.tumbling import Open, Timing, Tumbling

EVALUATOR, EVALUATOR_VERSION = "mmd", "2"
DEFAULT_TIMING = Timing()
_KERNELS_KEPT = 64
Deployed = Callable[[Segment], Deployment | None]


@dataclass(frozen=True)
class Rules:
    """How windows are cut and judged; `arrays` is where matrices are multiplied."""

    interval_seconds: int = 300
    reference_size: int = 200
    minimum_sample: int = 24
    maximum_sample: int = 500
    permutations: int = 19_999
    timing: Timing = DEFAULT_TIMING
    arrays: Arrays = CPU


@dataclass
class Tally:
    """What was taken and what was not, since the start."""

    added: int = 0
    repeated: int = 0
    late: int = 0
    referenced: int = 0
    tested: int = 0
    too_few: int = 0
    improbable: int = 0


@dataclass
class Partition:
    """Embeddings of one source partition, folded into windows, each tested against its reference.

    The first calls of a space become its reference and are judged by nobody, unless the space is judged by the
    reference of another version: then they are also the sample of its first windows. A window is the same whenever
    it is rebuilt from the same calls.
    """

    partition: int
    rules: Rules
    store: References
    deployed: Deployed
    tally: Tally = field(default_factory=Tally)
    _own: dict[Space, Reference] = field(default_factory=dict)
    _unsaved: dict[Space, int] = field(default_factory=dict)  # the first offset that is not kept yet
    _settled: set[Space] = field(default_factory=set)
    _kernels: dict[str, Kernel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._windows: Tumbling[Space, Sample] = Tumbling(partial(Sample, self.rules.maximum_sample), self.rules.timing)

    def __len__(self) -> int:
        return len(self._windows)

    def add(self, embedding: Embedding, offset: int) -> None:
        """Take one embedding, which came at `offset`; synthetic calls are no traffic and are left out.

        So are those that were kept with less than `SMALLEST_PROBABILITY`.
        Raises `ValueError` for a vector that is not what it says or that cannot be compared with the others.
        """
        if embedding.synthetic:
            return
        if embedding.inclusion_probability < SMALLEST_PROBABILITY:
            self.tally.improbable += 1
            return
        space, seconds = space_of(embedding), embedding.called_at.timestamp()
        reference = self._reference(space)
        check(embedding, reference)
        if reference.add(embedding):
            self._unsaved.setdefault(space, offset)
            self.tally.referenced += 1
        stream = (space.encoder, space.encoder_version)
        self._windows.reach(stream, seconds)
        if embedding.call_id.int in reference.calls and reference.judged_by in ("", space.segment.version):
            return
        window = self._windows.find(
            stream, space, event_seconds=seconds, interval_seconds=self.rules.interval_seconds, offset=offset
        )
        if window is None:
            self.tally.late += 1
        elif window.content.add(embedding):
            window.changed = True
            self.tally.added += 1
        else:
            self.tally.repeated += 1

    def tick(self, now: float) -> Iterator[Window]:
        """The windows that are due at `now` (seconds since the epoch), judged."""
        for window in self._windows.tick(now):
            yield self._message(window)

    def needed(self) -> int | None:
        """The smallest offset that has to be read again after a crash; None for none."""
        unsaved = min(self._unsaved.values(), default=None)
        open_ = self._windows.needed()
        return min((offset for offset in (unsaved, open_) if offset is not None), default=None)

    def _reference(self, space: Space) -> Reference:
        own = self._own.pop(space, None)
        if own is None:
            own = self.store.load(space) or Reference(space, self.rules.reference_size)
            if self._settle(own):
                self._settled.add(space)
        self._own[space] = own  # the one used last goes to the end
        return own

    def keep(self) -> None:
        """Save the references that grew or were found to judge; `OSError` where that fails: nothing is lost then."""
        for space, reference in self._own.items():
            if self._settle(reference) or space in self._unsaved or space in self._settled:
                self.store.save(reference)
                self._unsaved.pop(space, None)
                self._settled.discard(space)
        self._forget()

    def _forget(self) -> None:
        """Let go of what was not used for longest; what will not change again is read from the store."""
        beyond = len(self._own) - REFERENCES_KEPT
        if beyond <= 0:
            return
        done = [space for space, reference in self._own.items() if reference.frozen and reference.judged_by]
        for space in done[:beyond]:
            del self._own[space]

    def _settle(self, reference: Reference) -> bool:
        """Find out whose reference judges this space; once known it stays."""
        if reference.judged_by:
            return False
        segment = reference.space.segment
        before = predecessor(self.deployed(segment), segment.version)
        known = self.store.load(reference.space.of(before)) if before else None
        if before and known is not None and known.frozen:
            reference.judged_by = before
        elif reference.frozen:
            reference.judged_by = segment.version
        return bool(reference.judged_by)

    def _judge(self, space: Space) -> Reference | None:
        own = self._reference(space)
        if not own.judged_by:
            return None
        judge = own if own.judged_by == space.segment.version else self.store.load(space.of(own.judged_by))
        return judge if judge is not None and judge.frozen else None

    def _message(self, window: Open[Space, Sample]) -> Window:
        space, start = window.key, datetime.fromtimestamp(window.start_seconds, UTC)
        metric = f"embedding_drift.{space.field}"
        version = f"{EVALUATOR_VERSION}+{space.encoder}@{space.encoder_version}"[:200]
        measured = (metric, EVALUATOR, version, "")
        empty = Window(
            window_id=window_id(space.segment.key, measured, (window.interval_seconds, start), self.partition),
            segment=space.segment,
            metric=metric,
            evaluator=EVALUATOR,
            evaluator_version=version,
            interval_seconds=window.interval_seconds,
            window_start=start,
            window_end=datetime.fromtimestamp(window.end_seconds, UTC),
            source_partition=self.partition,
        )
        return self._judged(empty, space, window.content)

    def _judged(self, window: Window, space: Space, sample: Sample) -> Window:
        """The window with its test; `not_scored` are about as many as there were calls that were not tested."""
        chosen, judge, calls = sample.chosen(), self._judge(space), sample.calls()
        sessions = np.array([member.session for member in chosen], dtype=np.int64)
        if judge is None or len(chosen) < self.rules.minimum_sample or _alone(sessions) or _alone(judge.sessions()):
            self.tally.too_few += 1
            return replace(window, not_scored=calls)
        self.tally.tested += 1
        permuted = batches(judge.sessions(), sessions, self.rules.permutations, window.window_id.int)
        vectors = vectors_of([member.vector for member in chosen])
        result = self._kernel(judge).test_until_sure(vectors, permuted, sessions)
        test = DriftTest(
            name=EVALUATOR,
            statistic=result.statistic,
            p_value=result.p_value,
            reference_id=judge.reference_id,
            reference_version=judge.space.segment.version,
            reference_size=len(judge.vectors),
            sample_size=len(chosen),
        )
        return replace(
            window,
            count=len(chosen),
            not_scored=calls - len(chosen),
            weight=1.0,
            weight_squares=1.0,
            weighted_sum=result.statistic,
            weighted_square_sum=result.statistic**2,
            minimum=result.statistic,
            maximum=result.statistic,
            drift=test,
        )

    def _kernel(self, judge: Reference) -> Kernel:
        identity = judge.reference_id
        kernel = self._kernels.pop(identity, None) or Kernel(judge.matrix(), judge.sessions(), arrays=self.rules.arrays)
        self._kernels[identity] = kernel  # the one used last goes to the end
        if len(self._kernels) > _KERNELS_KEPT:
            del self._kernels[next(iter(self._kernels))]
        return kernel


def _alone(sessions: Ints) -> bool:
    """Whether all calls belong to one session, which no permutation of sessions can be compared with."""
    return len(np.unique(sessions)) < 2
