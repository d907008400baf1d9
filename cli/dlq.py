"""`tidemark dlq`: what could not be taken."""

import asyncio
import base64
import json
from typing import Annotated, Any

import msgspec
import typer
from aiokafka.errors import KafkaError
from rich.table import Table
from rich.text import Text

from cli.options import AsJson, Data
from cli.printing import fail, say
from cli.tables import show_table
from schemas.messages import DeadLetter
from services.embedded import letter_store, letters
from services.embedded.connection import settings
from services.shared.errors import Refused
from services.shared.kafka import Kafka
from services.shared.settings import SharedSettings, without_password

dlq = typer.Typer(help="List, show and send again what could not be taken.", no_args_is_help=True)

Service = Annotated[str, typer.Option(help="Only what this service could not take.")]
Topic = Annotated[str, typer.Option(help="Only what came from this topic (calls.v1).")]
Reason = Annotated[str, typer.Option(help="Only where error or reason contain this.")]
Limit = Annotated[int, typer.Option(min=1, help="The newest so many.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids, or how they begin.")]


@dlq.command("list")
def list_letters(
    service: Service = "",
    topic: Topic = "",
    reason: Reason = "",
    limit: Limit = 100,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest last: from ClickHouse and from the topics, whichever answers."""
    found = _find(settings(data), letters.Filter(service, topic, reason), with_bytes=False)
    shown = found[-limit:]
    if as_json:
        print(json.dumps({"count": len(found), "letters": [_plain(letter) for letter in shown]}))
        return
    table = Table(title=f"{len(found)} dead letters" + (f", the newest {limit}" if len(found) > limit else ""))
    table.add_column("id", no_wrap=True)
    for column in ("failed at", "service", "stage", "from", "error", "reason", "sent again"):
        table.add_column(column)
    for letter in shown:
        table.add_row(*(Text(cell) for cell in _row(letter)))  # a plain string would be read as markup
    show_table(table)


@dlq.command()
def show(
    letter_id: Annotated[str, typer.Argument(help="The id, or how it begins.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: its origin, the reason, and its bytes. Exit code 1 where there is none."""
    found = _find(settings(data), letters.Filter(ids=(letter_id,)))
    if len(found) != 1:
        fail(f"{len(found)} dead letters begin with {letter_id}", code=1)
    letter = found[0]
    if as_json:
        print(json.dumps(_plain(letter) | {"message": _bytes(letter.message_value), "key": _bytes(letter.message_key)}))
        return
    for name, value in _plain(letter).items():
        print(f"{name:16}{value}")
    print(f"{'key':16}{_text(letter.message_key)}\n\n{_text(letter.message_value)}")


@dlq.command()
def redrive(  # noqa: PLR0913, PLR0917 - an argument an option
    ids: Ids = None,
    service: Service = "",
    topic: Topic = "",
    reason: Reason = "",
    everything: Annotated[bool, typer.Option("--all", help="All that the filters let pass.")] = False,
    most: Annotated[int, typer.Option("--max-redrives", min=1, help="Never send a message again oftener.")] = 3,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send messages again to the topic that they came from, marked; one with several letters is sent once.

    Exit code 1 where one was refused, nothing was found, or an id is no letter's.
    """
    if not ids and not everything:
        fail("name ids, or --all for everything that the filters let pass")
    if not all(ids or ()):
        fail("an id is empty")
    place = settings(data)
    found = _find(place, letters.Filter(service, topic, reason, tuple(ids or ())))
    messages, unwilling = letters.by_message(found, most)
    if messages and not dry_run:
        _send(place, messages)
    willing = [letter for message in messages for letter in message]
    sent = {"sent": 0, "messages": 0} if dry_run else {"sent": len(willing), "messages": len(messages)}
    counts = {**sent, "refused": len(unwilling), "found": len(found)}
    print(
        json.dumps(counts | {"ids": [str(letter.dead_letter_id) for letter in willing]}) if as_json else _said(counts)
    )
    if missing := [each for each in ids or () if not any(_begins(letter, each) for letter in found)]:
        say(f"tidemark: no dead letter begins with {', '.join(missing)}")
    if unwilling or missing or not found:
        raise typer.Exit(1)


def _begins(letter: DeadLetter, letter_id: str) -> bool:
    return str(letter.dead_letter_id).startswith(letter_id)


def _find(place: SharedSettings, wanted: letters.Filter, *, with_bytes: bool = True) -> list[DeadLetter]:
    answered: list[DeadLetter] = []
    silent = []
    try:
        found = asyncio.run(letters.on_topics(Kafka.of(place), wanted, with_bytes=with_bytes))
    except (KafkaError, OSError, TimeoutError) as error:
        silent.append(f"the broker at {place.kafka_bootstrap} does not answer ({error or type(error).__name__})")
    else:
        answered += found.letters
        if found.foreign:
            say(f"messages on the dead-letter topics that are no dead letters are stepped over: {found.foreign}")
    try:
        answered += letter_store.stored(place.clickhouse_url, place.clickhouse_database, wanted, with_bytes=with_bytes)
    except letter_store.StoreError as error:
        silent.append(f"ClickHouse at {without_password(place.clickhouse_url)} does not answer ({error})")
    for part in silent:
        say(part)
    if len(silent) == 2:
        fail("dead letters can be read from neither")
    return letters.newest(answered)


def _send(place: SharedSettings, messages: list[list[DeadLetter]]) -> None:
    try:
        asyncio.run(letters.redrive(Kafka.of(place), messages))
    except (KafkaError, OSError, TimeoutError, Refused) as error:
        fail(f"the broker at {place.kafka_bootstrap} did not take them ({error or type(error).__name__})")


def _said(counts: dict[str, int]) -> str:
    refused = f"; {counts['refused']} refused: sent again often enough, or without bytes" if counts["refused"] else ""
    return f"{counts['sent']} of {counts['found']} dead letters sent again (messages: {counts['messages']}){refused}"


def _row(letter: DeadLetter) -> list[str]:
    return [
        str(letter.dead_letter_id)[:13],
        letter.failed_at.strftime("%Y-%m-%d %H:%M:%S"),
        letter.service,
        letter.stage,
        f"{letter.topic}/{letter.partition}@{letter.offset}",
        letter.error,
        letter.reason[:80],
        str(letter.redrives or ""),
    ]


def _plain(letter: DeadLetter) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(letter)
    kept = {name: value for name, value in plain.items() if name not in ("message_key", "message_value", "type")}
    return {**kept, "redrives": letter.redrives}


def _bytes(value: bytes | None) -> dict[str, str] | None:
    if value is None:
        return None
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _text(value: bytes | None) -> str:
    if value is None:
        return "(none)"
    try:
        return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return value.decode(errors="backslashreplace")
