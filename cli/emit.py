"""`tidemark emit`: send calls through the client."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from tidemark import Client

from cli.options import AsJson
from cli.printing import data_directory, fail, say
from services.embedded.connection import gateway_url

File = Annotated[typer.FileBinaryRead | None, typer.Option(help="JSON lines, one call each; - reads standard input.")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Where the stack's own API key lies, and how it is reached.",
        envvar="TIDEMARK_DATA",
        show_default=".tidemark",
    ),
]
Url = Annotated[str | None, typer.Option(help="The gateway; the running stack's by default.", envvar="TIDEMARK_URL")]


def emit(  # noqa: PLR0913, PLR0917  (one parameter an option: that is how a command line is declared)
    prompt: Annotated[str | None, typer.Option(help="What the model was asked.")] = None,
    response: Annotated[str | None, typer.Option(help="What it answered.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="A text it was given; may be repeated.")] = None,
    file: File = None,
    app: Annotated[str | None, typer.Option(help="The application.", envvar="TIDEMARK_APP")] = None,
    environment: Annotated[str | None, typer.Option(help="Where it runs.", envvar="TIDEMARK_ENVIRONMENT")] = None,
    version: Annotated[str | None, typer.Option(help="What served.", envvar="TIDEMARK_VERSION")] = None,
    url: Annotated[
        str | None, typer.Option(help="The gateway; the running stack's by default.", envvar="TIDEMARK_URL")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write the acknowledged ids there.")] = None,
    timeout_seconds: Annotated[float, typer.Option(help="How long to wait for acknowledgement.")] = 30.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send one call, or a file of them, and wait until they are acknowledged.

    A line of the file that is no JSON object is reported and skipped.

    Exit code 0: the gateway has all of them. 1: some were rejected, dropped or skipped. 2: it was not reached in time,
    and some, or some of an earlier run, wait in the spool for the next client of the same app.
    """
    if (file is None) == (prompt is None and response is None):
        fail("give --prompt and --response, or --file")
    skipped: list[int] = []
    calls = _read(file, skipped) if file else [{"prompt": prompt, "response": response, "context": context}]
    options = {"app": app, "environment": environment, "version": version, "ledger": ledger}
    try:
        client = Client(url=url or gateway_url(data), api_key=_api_key(data), **options)  # type: ignore[arg-type]
    except (ValueError, OSError) as error:
        fail(str(error))
    call_ids = _emit(client, calls, timeout_seconds)
    settled = client.flush(timeout_seconds)
    client.close()
    _tell(client, call_ids, skipped=len(skipped), settled=settled, as_json=as_json)


def _emit(client: Client, calls: Iterable[dict[str, Any]], timeout_seconds: float) -> list[str]:
    """Hand over every call; a file can be read faster than it is sent, so a full queue is waited for."""
    call_ids = []
    for number, call in enumerate(calls, 1):
        call_ids.append(client.emit(**call))
        if number % 1000 == 0:
            client.flush(timeout_seconds)
    return call_ids


def _read(lines: Iterable[bytes], skipped: list[int]) -> Iterator[dict[str, Any]]:
    """The calls of a file; a line that is none is told, and its number added to `skipped`."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            call = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            wrong = f"JSON: {error}"
        else:
            if isinstance(call, dict):
                yield {name: value for name, value in call.items() if name not in {"type", "tenant"}}
                continue
            wrong = "JSON object"
        skipped.append(number)
        say(f"line {number} is no {wrong}")


def _api_key(data: Path | None) -> str:
    """The environment's key, else the one that the embedded stack made."""
    kept = data_directory(data).api_key_file
    return os.environ.get("TIDEMARK_API_KEY") or (kept.read_text().strip() if kept.exists() else "")


def _tell(client: Client, call_ids: list[str], *, skipped: int, settled: bool, as_json: bool) -> None:
    stats = client.stats()
    lost = stats.rejected + stats.dropped
    code = 1 if lost or skipped else 2 if stats.spooled or not settled else 0
    if as_json:
        counts = {name: getattr(stats, name) for name in ("emitted", "acknowledged", "spooled", "rejected", "dropped")}
        print(json.dumps({**counts, "skipped": skipped, "call_ids": call_ids}))
    else:
        for call_id in call_ids:
            print(call_id)
        waiting = f"; {stats.spooled} wait in the spool, those of earlier runs too" if stats.spooled else ""
        passed_over = f"; {skipped} lines skipped" if skipped else ""
        say(f"{stats.acknowledged} acknowledged{waiting}; {lost} rejected or dropped{passed_over}")
    if stats.rejected:
        say(f"what was rejected, and why: {client.rejected_file}")
    raise typer.Exit(code)
