"""`tidemark doctor`: what is wrong, and how to mend it."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape

from cli.options import AsJson, Data, PortBase
from cli.printing import data_directory
from services.embedded import diagnosis, machine
from services.embedded.config import Config
from services.embedded.connection import settings
from services.embedded.control_client import ControlClient, NotRunningError
from services.embedded.data_directory import DataDirectory
from services.embedded.finding import Finding, problem
from services.embedded.services import Ports
from services.shared.errors import WrongSettings

_MARKS = {"good": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "problem": "[red]✗[/red]"}


def doctor(data: Data = None, port_base: PortBase = None, as_json: AsJson = False) -> None:
    """Explain what is wrong and how to mend it. Exit code 1 where something is wrong."""
    try:
        directory = data_directory(data)
        findings = list(_look(directory, Ports(port_base if port_base is not None else Config().port_base)))
    except WrongSettings as error:
        findings = [problem("settings", line, "docs/reference/settings.md lists all") for line in error.lines]
    healthy = not any(finding.grade == "problem" for finding in findings)
    if as_json:
        print(json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    raise typer.Exit(0 if healthy else 1)


def _look(directory: DataDirectory, ports: Ports) -> Iterator[Finding]:
    client = ControlClient(directory)
    running = client.running
    yield from machine.look(directory, ports, os.environ, running=running)
    yield from diagnosis.stopped(directory)
    if running:
        try:
            yield from diagnosis.parts(client.status())
        except NotRunningError as error:
            yield problem("supervisor", str(error), "wait some seconds; then `tidemark down` and `tidemark up`")
    if running or any(map(os.environ.get, ("TIDEMARK_KAFKA_BOOTSTRAP", "TIDEMARK_CLICKHOUSE_URL"))):
        yield from diagnosis.reachable(settings(directory.root))


def _print(findings: list[Finding]) -> None:
    console = Console(soft_wrap=True)
    for finding in findings:
        console.print(f"{_MARKS[finding.grade]} {finding.about}: {escape(finding.what)}", highlight=False)
        if finding.remedy:
            console.print(f"    → {escape(finding.remedy)}", highlight=False)
    wrong = sum(finding.grade == "problem" for finding in findings)
    console.print("nothing is wrong" if not wrong else f"{wrong} to mend", highlight=False)
