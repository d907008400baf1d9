"""`tidemark approve`: let a decision that waits for a person go on."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import AsJson
from cli.printing import data_directory, fail
from services.rollback.rollback.decision import Decision
from services.rollback.store import Store
from services.shared.database import connect, state_url
from services.shared.outbox import Outbox

Choice = Annotated[str, typer.Argument(help="Its id, or how it begins; without it, those that wait are listed.")]
Person = Annotated[str, typer.Option("--by", help="Who approves; who is logged in by default.")]
Data = Annotated[
    Path | None, typer.Option(help="The data directory of rollback.", envvar="TIDEMARK_DATA", show_default=".tidemark")
]


def approve(decision: Choice = "", by: Person = "", data: Data = None, as_json: AsJson = False) -> None:
    """List the decisions that wait for a person, or approve one of them.

    Rollback goes on with it within a second, and checks right before it acts that everything is as it was. Exit
    code 1: no such decision waits. 2: rollback has no state in the data directory.
    """
    with _store(data) as store:
        waiting = [known for known in store.waiting() if str(known.decision_id).startswith(decision)]
        if not decision:
            _list(waiting, as_json=as_json)
            return
        if len(waiting) != 1:
            fail(f"{len(waiting)} decisions that wait begin with {decision}; `tidemark approve` lists them", code=1)
        person = by or getpass.getuser()
        if not store.approve(waiting[0].decision_id, person):
            fail(f"{waiting[0].decision_id} waits no more", code=1)
    print(json.dumps(_plain(waiting[0]) | {"approved_by": person}) if as_json else f"{_line(waiting[0])}: approved")


@contextmanager
def _store(data: Path | None) -> Iterator[Store]:
    root = data_directory(data).root
    if not (root / "state" / "rollback.sqlite").exists():
        fail(f"rollback has no state in {root}: name its data directory with --data")
    engine = connect(state_url(root, "rollback"))
    try:
        yield Store(engine, Outbox(engine))
    finally:
        engine.dispose()


def _list(waiting: list[Decision], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"waiting": [_plain(decision) for decision in waiting]}))
        return
    for decision in waiting:
        print(f"{_line(decision)}: {decision.alerts[0].summary}")
    print(f"{len(waiting)} waiting")


def _line(decision: Decision) -> str:
    target = f"{decision.target.tenant}/{decision.target.app}/{decision.target.environment}"
    return f"{decision.decision_id} {target} {decision.from_version} → {decision.to_version}"


def _plain(decision: Decision) -> dict[str, Any]:
    return {
        "decision_id": str(decision.decision_id),
        "tenant": decision.target.tenant,
        "app": decision.target.app,
        "environment": decision.target.environment,
        "from_version": decision.from_version,
        "to_version": decision.to_version,
        "policy": decision.policy,
        "opened_at": decision.opened_at.isoformat(),
        "reason": decision.alerts[0].summary,
    }
