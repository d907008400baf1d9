"""A file of calls scored into a file of scores; what was interrupted goes on where it stopped."""

import fcntl
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from services.shared.line_scoring import BadLine, Numbered, Part, parsed, score_parts
from services.shared.scoring import Remembers, Scorer

CHECKPOINT_SECONDS = 1.0


class Tally(msgspec.Struct, kw_only=True):
    """What became of the lines so far; blank ones are lines and nothing else."""

    lines: int = 0
    calls: int = 0
    skipped: int = 0
    scores: int = 0
    statuses: dict[str, int] = {}

    def add(self, part: Part) -> None:
        """Count a part."""
        self.lines = part.last_line
        self.calls += part.calls
        self.skipped += len(part.bad)
        self.scores += len(part.scores)
        self.statuses = dict(Counter(self.statuses) + part.statuses)


class State(msgspec.Struct, kw_only=True):
    """How far a run has come: so much of the input has its scores in so much of the output."""

    metrics: list[str]
    evaluators: list[str]
    at: datetime
    tally: Tally
    input_bytes: int = 0
    input_hash: str = ""
    output_bytes: int = 0


class Busy(Exception):
    """Another run writes the same output."""


@dataclass
class Run:
    """One run. `bad` is told of each line that is no call, `progress` of the number of lines done.

    Scores are written to `<output>.partial`, and every second `<output>.state` says how far they are complete, by a
    rename, after the scores are on disk. The same order again (the same metrics, evaluator versions and beginning of
    the input) cuts what was written after that and goes on; another one begins anew. At the end the partial file
    takes the output's name, so that the output is there whole or not at all. No line is lost or scored twice into it.
    """

    source: BinaryIO
    output: Path
    scorers: Sequence[Scorer]
    metrics: Collection[str]
    at: datetime
    bad: Callable[[BadLine], None]
    progress: Callable[[int], None]
    resumed_after: int = 0
    state: State = field(init=False)

    def __post_init__(self) -> None:
        evaluators = [f"{scorer.evaluator} {scorer.version}" for scorer in self.scorers]
        self.state = State(metrics=sorted(self.metrics), evaluators=evaluators, at=self.at, tally=Tally())
        self._hash = hashlib.sha256()

    def complete(self, *, restart: bool = False) -> Tally:
        """Score everything that has no score yet; raises `Busy`, and ValueError where an input cannot be read twice."""
        with self._partial.open("ab") as written:
            try:
                fcntl.flock(written, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"another run writes {self._partial}") from None
            if not restart:
                self._resume(written)
            written.truncate(self.state.output_bytes)
            written.seek(0, os.SEEK_END)  # until something is written, the place would be where the file ended before
            self._score(written)
            self._partial.replace(self.output)
        self._place.unlink(missing_ok=True)
        return self.state.tally

    @property
    def _partial(self) -> Path:
        return self.output.with_name(f"{self.output.name}.partial")

    @property
    def _place(self) -> Path:
        return self.output.with_name(f"{self.output.name}.state")

    def _score(self, written: BinaryIO) -> None:
        saved = time.monotonic()
        after = self.state.tally.lines
        parts = score_parts(self._hashed(), self.scorers, metrics=self.metrics, at=self.state.at, after=after)
        for part in parts:
            for line in part.bad:
                self.bad(line)
            written.writelines(score + b"\n" for score in part.scores)
            self.state.tally.add(part)
            self.state.input_bytes += part.read_bytes
            self.state.input_hash = self._hash.hexdigest()
            self.progress(self.state.tally.lines)
            if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                self._checkpoint(written)
                saved = time.monotonic()
        self._flushed(written)

    def _hashed(self) -> Any:
        for line in self.source:
            self._hash.update(line)
            yield line

    def _checkpoint(self, written: BinaryIO) -> None:
        self.state.output_bytes = self._flushed(written)
        fresh = self._place.with_name(f"{self._place.name}.new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(self.state))
            self._flushed(file)
        fresh.replace(self._place)

    @staticmethod
    def _flushed(file: BinaryIO) -> int:
        file.flush()
        os.fsync(file.fileno())
        return file.tell()

    def _resume(self, written: BinaryIO) -> None:
        found = self._found(os.fstat(written.fileno()).st_size)
        if found is None:
            return
        left, number = found.input_bytes, 0
        while left and (line := self.source.readline(left)):
            self._hash.update(line)
            left, number = left - len(line), number + 1
            self._recall(number, line, found.at)
        if not left and self._hash.hexdigest() == found.input_hash:
            self.state, self.resumed_after = found, found.tally.lines
            return
        if not self.source.seekable():
            raise ValueError("the input is not that of the interrupted run: --restart begins anew")
        self.source.seek(0)
        self._hash = hashlib.sha256()
        for scorer in self._remembering:
            scorer.forget()

    @property
    def _remembering(self) -> list[Remembers]:
        return [scorer for scorer in self.scorers if isinstance(scorer, Remembers)]

    def _recall(self, number: int, line: bytes, at: datetime) -> None:
        if self._remembering and line.strip() and isinstance(read := parsed(number, line, at), Numbered):
            for scorer in self._remembering:
                scorer.recall([read.call])

    def _found(self, size: int) -> State | None:
        try:
            found = msgspec.json.decode(self._place.read_bytes(), type=State)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        same = (found.metrics, found.evaluators) == (self.state.metrics, self.state.evaluators)
        return found if same and found.output_bytes <= size else None
