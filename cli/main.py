"""The command `tidemark` and its subcommands, each imported only when it is asked for."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence

import typer

from services.embedded.loopback import reached_directly
from services.shared.errors import WrongSettings

COMMANDS = {
    "up": "Start the embedded stack: broker, ClickHouse and every service.",
    "down": "Stop the embedded stack.",
    "status": "Show health, lag, rates and memory of every part.",
    "logs": "Show what the parts wrote, or follow it.",
    "doctor": "Explain what is wrong and how to mend it.",
    "topics": "Compare the broker's topics with those that are declared, or make them so.",
    "migrate": "Bring ClickHouse's tables up to date.",
    "emit": "Send calls through the client.",
    "models": "List the converted models, or make one smaller and print what it costs.",
    "score": "Score a file of calls without a running stack.",
    "rescore": "Score stored calls again, with the scorers as they are set here.",
    "compare": "Compare two files of scores: agreement, rank correlation, flips, worst differences.",
    "query": "Ask ClickHouse, read only.",
    "verify": "Compare a client's ledger with what is stored.",
    "replay": "Have a service read a topic again.",
    "recompute": "Make windows again from the stored scores.",
    "resume": "List the services that stopped themselves, or let one go on.",
    "approve": "List the decisions that wait for a person, or approve one.",
    "dlq": "List, show and send again what could not be taken.",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `tidemark` with `arguments` (the process's own by default) and exit with its code.

    0 is success, 1 that something asked about is wrong, 2 a wrong use or a part that cannot be reached.
    """
    os.environ.update(reached_directly(os.environ))
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        application(chosen(given))(given, prog_name="tidemark")
    except WrongSettings as error:
        sys.stderr.write("".join(f"tidemark: {line}\n" for line in error.lines))
        sys.exit(2)


def chosen(arguments: Sequence[str]) -> str | None:
    """The subcommand that `arguments` name, if any.

    >>> chosen(["--help"]), chosen(["dlq", "list", "--json"])
    (None, 'dlq')
    """
    return next((argument for argument in arguments if argument in COMMANDS), None)


def application(command: str | None) -> typer.Typer:
    """Every subcommand by name and summary; the module of `command` alone is imported."""
    app = typer.Typer(
        help="Tidemark: event-driven monitoring of language models in production.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_group)
    for name, summary in COMMANDS.items():
        if name == command:
            _attach(app, name, summary)
        else:
            app.command(name, help=summary)(_not_imported)
    return app


def _group() -> None:
    """Keep a single subcommand a subcommand."""


def _not_imported() -> None:
    """Stand in the list of subcommands."""


def _attach(app: typer.Typer, name: str, summary: str) -> None:
    loaded: typer.Typer | Callable[..., None] = getattr(importlib.import_module(f"cli.{name}"), name)
    if isinstance(loaded, typer.Typer):
        app.add_typer(loaded, name=name, help=summary)
    else:
        app.command(name, help=inspect.getdoc(loaded) or summary)(loaded)
