"""`tidemark resume`: let a service go on that has stopped itself."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import AsJson, Data
from cli.printing import data_directory, fail
from services.shared.breaker import Marker

Service = Annotated[str, typer.Argument(help="The service; without it, those that are stopped are listed.")]


def resume(service: Service = "", data: Data = None, as_json: AsJson = False) -> None:
    """List the services that stopped themselves, since too much of what they were given failed, or let one go on.

    It goes on within a second where it left off: mend the cause first, or it stops again. Where nothing runs, it goes
    on with the next start. Exit code 1 where that service is not stopped.
    """
    root = data_directory(data).root
    stopped = Marker.all(root)
    if not service:
        _list(root, as_json=as_json)
        return
    if service not in stopped:
        fail(f"{service} is not stopped; `tidemark resume` lists who is", code=1)
    told = stopped[service].told()
    stopped[service].clear()
    print(json.dumps({"service": service, **told}) if as_json else f"{service} goes on; it was stopped: {_said(told)}")


def _list(root: Path, *, as_json: bool) -> None:
    stopped = Marker.stopped(root)
    if as_json:
        print(json.dumps({"stopped": stopped}))
        return
    for told in stopped:
        print(f"{told['service']}: {_said(told)}")
    if not stopped:
        print("nobody is stopped")


def _said(told: dict[str, str]) -> str:
    return f"{told['reason']} (since {told['stopped_at']})"
