"""`tidemark score`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from services.guard import app as guard
from services.guard.config import Config as GuardConfig
from services.guard.guard import leakage, pii, secrets
from services.hallucination import app as hallucination
from services.hallucination.config import Config as HallucinationConfig
from services.hallucination.hallucination import HALLUCINATION
from services.latency import app as latency
from services.latency.config import Config as LatencyConfig
from services.latency.latency import METRICS as LATENCY_METRICS
from services.shared.line_scoring import BadLine, chosen, loaded, score_lines
from services.shared.model_store import ModelMissingError
from services.toxicity import app as toxicity
from services.toxicity.config import Config as ToxicityConfig
from services.toxicity.toxicity import PROMPT, RESPONSE

SCORERS = (
    ((PROMPT.name, RESPONSE.name), lambda: toxicity.scorer(ToxicityConfig())),
    ((HALLUCINATION.name,), lambda: hallucination.scorer(HallucinationConfig())),
    (
        tuple(m.name for m in (pii.PROMPT, pii.RESPONSE, secrets.PROMPT, secrets.RESPONSE, *leakage.METRICS)),
        lambda: guard.scorer(GuardConfig()),
    ),
    (tuple(metric.name for metric in LATENCY_METRICS), lambda: latency.scorer(LatencyConfig())),
)
AVAILABLE = [name for names, _ in SCORERS for name in names]


def score(
    input: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="JSON lines: prompt, response, context, …")],  # noqa: A002 - the option's name
    output: Annotated[Path, typer.Option(dir_okay=False, help="JSON lines: line, metric, status, value, …")],
    metrics: Annotated[str, typer.Option(help="Names with commas, or all.")] = "all",
) -> None:
    """Score a file of calls without a running stack.

    Each line of the input is a JSON object with fields of a call; a line that is none is reported and skipped.
    """
    try:
        wanted = chosen(metrics, AVAILABLE)
        scorers = loaded(SCORERS, wanted)
    except (ValueError, ModelMissingError) as error:
        typer.echo(f"score: {error}", err=True)
        raise typer.Exit(2) from None
    skipped = 0
    with input.open("rb") as lines, output.open("wb") as written:
        for result in score_lines(_shown(lines, input), scorers, metrics=wanted, at=datetime.now(UTC)):
            if isinstance(result, BadLine):
                skipped += 1
                typer.echo(f"line {result.line}: {result.reason}", err=True)
            else:
                written.write(result + b"\n")
    if skipped:
        typer.echo(f"{skipped} lines skipped", err=True)


def _shown(lines: BinaryIO, path: Path) -> Iterator[bytes]:
    """The lines, with a bar on a terminal's standard error."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scoring", total=path.stat().st_size)
        for line in lines:
            yield line
            progress.advance(task, len(line))
