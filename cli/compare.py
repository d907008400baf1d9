"""`tidemark compare`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.options import AsJson
from cli.printing import fail
from services.embedded.agreement import Agreement, Rows, read
from services.embedded.agreement import compare as compared

Scores = typer.Argument(exists=True, dir_okay=False, help="JSON lines of scores, by line or by call_id.")
Metrics = Annotated[str, typer.Option(help="Names with commas, or all that both have.")]
Worst = Annotated[int, typer.Option(min=0, help="How many of the worst differences to show.")]
Within = Annotated[
    float | None,
    typer.Option(help="Exit code 1 where a value differs by more, a status at all, or only one has a call."),
]


def compare(
    first: Annotated[Path, Scores],
    second: Annotated[Path, Scores],
    metrics: Metrics = "all",
    worst: Worst = 5,
    within: Within = None,
    as_json: AsJson = False,
) -> None:
    """Compare two evaluations of the same calls: two outputs of `tidemark score`, or two versions in the store.

    What is stored becomes such a file by `tidemark query --json "SELECT toString(call_id) AS call_id, metric, status,
    value, label, evaluator, evaluator_version FROM scores WHERE evaluator_version = '…'" > a.jsonl`.

    Exit code 0: compared; 1: they differ by more than --within; 2: a file is none of scores, or a metric has no call
    in both: the others are compared all the same.
    """
    found = {each.metric: each for each in compared(_read(first), _read(second), worst)}
    names = list(found) if metrics == "all" else [name for name in map(str.strip, metrics.split(",")) if name]
    if not names:
        fail("the two files have no metric in common")
    wanted = [found[name] for name in names if name in found and found[name].common]
    if as_json or wanted:
        print(json.dumps([each.as_dict() for each in wanted]) if as_json else "\n\n".join(map(_told, wanted)))
    _refuse(names, found)
    if within is not None and (beyond := [each.metric for each in wanted if _beyond(each, within)]):
        fail(f"{', '.join(beyond)}: a value beyond {within:g}, another status, or a call in one file only", code=1)


def _refuse(names: Sequence[str], found: Mapping[str, Agreement]) -> None:
    """End with exit code 2 where a metric could not be compared, and say which and why."""
    unknown = [name for name in names if name not in found]
    apart = [name for name in names if name in found and not found[name].common]
    told = [f"the two files have no call in common with {', '.join(apart)}"] if apart else []
    if unknown:
        told.append(f"{', '.join(unknown)}: not in both files; both have {', '.join(found) or 'no metric in common'}")
    if told:
        fail("; ".join(told))


def _read(path: Path) -> Rows:
    with path.open("rb") as lines:
        try:
            return read(lines)
        except ValueError as error:
            fail(f"{path}: {error}")


def _beyond(found: Agreement, within: float) -> bool:
    apart = found.changed_status + found.only_first + found.only_second
    return bool(apart) or (found.largest_difference or 0.0) > within


def _told(found: Agreement) -> str:
    first, second = found.evaluators
    told = [
        f"{found.metric}: {first} against {second}",
        f"  calls          {found.scored_by_both} scored by both, {found.changed_status} with another status,"
        f" {found.only_first} only in the first, {found.only_second} only in the second",
        f"  mean           {_number(found.mean_first)} to {_number(found.mean_second)}",
        f"  difference     {_number(found.mean_absolute_difference)} on average,"
        f" {_number(found.p95_absolute_difference)} at the 95th percentile,"
        f" {_number(found.largest_difference)} at most",
        f"  rank           correlation {_number(found.rank_correlation)}",
    ]
    if found.label_agreement is not None:
        told.append(
            f"  labels         {found.label_agreement:.2%} agree (kappa {_number(found.kappa)});"
            f" {found.became_labelled} became labelled, {found.lost_label} lost it"
        )
    told += [f"  call {pair.call}: {_number(pair.first)} to {_number(pair.second)}" for pair in found.worst]
    return "\n".join(told)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
