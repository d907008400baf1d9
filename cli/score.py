"""`tidemark score`."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from cli.outputs import regular
from cli.printing import fail, say
from cli.progress import Shown, shown
from services.embedded.score_file import Busy, Run, Tally
from services.embedded.scorers import AVAILABLE, BY_NAME, NAMED, SCORERS
from services.shared.errors import Unusable
from services.shared.line_scoring import BadLine, chosen, loaded, score_parts
from services.shared.scoring import Scorer

STANDARD = Path("-")
Input = Annotated[Path | None, typer.Option(help="JSON lines: prompt, response, context, …; - is standard input.")]
Output = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="JSON lines: line, metric, status, value, …; - is standard output."),
]
Metrics = Annotated[str, typer.Option(help="Names or shell patterns with commas, or all; a judge only by its name.")]
Listed = Annotated[bool, typer.Option("--list", help="List the metrics instead.")]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew where an interrupted run could go on.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit code 1 where a line was skipped or a score failed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a summary, or the list, as JSON.")]


def score(
    input: Input = None,  # noqa: A002 - the option's name
    output: Output = None,
    metrics: Metrics = "all",
    listed: Listed = False,
    restart: Restart = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Score a file of calls without a running stack.

    Each line of the input is a JSON object with fields of a call; a line that is none is reported and skipped. The
    output is there when it is whole: until then it grows in OUTPUT.partial, beside the file where OUTPUT is a link,
    and the same command goes on where an interrupted one stopped. Stored calls are scored again by `tidemark
    rescore`; two outputs are held against each other by `tidemark compare`.

    Exit code 0: done; 1: no line was a call, or what --strict says; 2: a wrong use; 130: interrupted.
    """
    if listed:
        _list(as_json)
        return
    if input is None or output is None:
        fail("score needs --input and --output, or --list")
    _check(input, output)
    try:
        wanted = chosen(metrics, AVAILABLE, NAMED)
        scorers = loaded((*SCORERS, *BY_NAME), wanted)
    except (ValueError, OSError, Unusable) as error:
        fail(f"score: {error}")
    told = _scored(_Job(input, output, scorers, wanted), restart)
    said = json.dumps(told.as_dict()) if as_json else told.sentence()
    print(said, file=sys.stdout if as_json and output != STANDARD else sys.stderr)
    raise typer.Exit(told.code(strict))


def _check(source: Path, output: Path) -> None:
    if output != STANDARD:
        regular(output)
    if source == STANDARD:
        return
    if not source.is_file():
        fail(f"{source} is no file")
    if output.exists() and output.samefile(source):
        fail("--output is the input: name another file")


@dataclass(frozen=True)
class _Job:
    input: Path
    output: Path
    scorers: Sequence[Scorer]
    metrics: Sequence[str]


@dataclass(frozen=True)
class _Told:
    """What is said at the end."""

    tally: Tally
    job: _Job
    resumed_after: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        evaluators = {scorer.evaluator: scorer.version for scorer in self.job.scorers}
        about = {"output": str(self.job.output), "metrics": self.job.metrics, "evaluators": evaluators}
        done = {"resumed_after_line": self.resumed_after, "seconds": round(self.seconds, 3)}
        return {**msgspec.to_builtins(self.tally), **about, **done}

    def sentence(self) -> str:
        """For people."""
        tally = self.tally
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(tally.statuses.items()))
        skipped = f"; {tally.skipped} lines skipped" if tally.skipped else ""
        went_on = f" (went on after line {self.resumed_after})" if self.resumed_after else ""
        return f"{tally.calls} calls, {tally.scores} scores: {statuses or 'none'}{skipped}{went_on}"

    def code(self, strict: bool) -> int:
        """The exit code."""
        nothing = self.tally.skipped and not self.tally.calls
        wrong = strict and (self.tally.skipped or self.tally.statuses.get("failed"))
        return int(bool(nothing or wrong))


def _scored(job: _Job, restart: bool) -> _Told:
    began = time.monotonic()
    with _opened(job.input) as source, _progress(job) as progress:
        if job.output == STANDARD:
            return _Told(_streamed(job, source), job, 0, time.monotonic() - began)
        lines = _lines(job.input)
        at = datetime.now(UTC)
        place = job.output.resolve()  # a rename would replace a link and not its file
        run = Run(source, place, job.scorers, job.metrics, at, _report, lambda done: progress(done, lines))
        try:
            tally = run.complete(restart=restart)
        except (Busy, OSError, ValueError) as error:
            fail(f"score: {error}")
        except KeyboardInterrupt:
            fail("score: interrupted; the same command goes on where it stopped", code=130)
        return _Told(tally, job, run.resumed_after, time.monotonic() - began)


def _streamed(job: _Job, source: BinaryIO) -> Tally:
    tally = Tally()
    try:
        for part in score_parts(source, job.scorers, metrics=job.metrics, at=datetime.now(UTC)):
            for line in part.bad:
                _report(line)
            sys.stdout.buffer.writelines(score + b"\n" for score in part.scores)
            sys.stdout.buffer.flush()
            tally.add(part)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter tries it again at its end
        fail(f"score: {error}")
    return tally


def _report(line: BadLine) -> None:
    say(f"line {line.line}: {line.reason}")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD:
        yield sys.stdin.buffer
        return
    with path.open("rb") as opened:
        yield opened


@contextmanager
def _progress(job: _Job) -> Iterator[Shown]:
    """Told only where the whole is known and the scores do not go to the same terminal."""
    if STANDARD in {job.input, job.output}:
        yield lambda *_: None
        return
    with shown("calls are scored", "lines") as progress:
        yield progress


def _lines(path: Path) -> int:
    if path == STANDARD:
        return 0
    with path.open("rb") as opened:
        return sum(1 for _ in opened)


def _list(as_json: bool) -> None:
    found = [
        {"evaluator": offer.service, **asdict(metric)} for offer in (*SCORERS, *BY_NAME) for metric in offer.metrics
    ]
    if as_json:
        print(json.dumps([{**each, "maximum": _finite(each["maximum"])} for each in found]))
        return
    for each in found:
        most = "" if _finite(each["maximum"]) is None else f"{each['maximum']:g}"
        label = "" if each["threshold"] is None else f"label at {each['threshold']:g}"
        print(
            f"{each['name']:<30} {each['evaluator']:<14} {each['unit']:<12} {each['minimum']:g}..{most:<4}"
            f" {each['worse']} is worse  {label}".rstrip()
        )


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value
