"""`tidemark dlq redrive` tells of ids that are none."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from cli.main import main
from schemas.messages import DeadLetter

LETTER = DeadLetter(
    dead_letter_id=UUID("aaaaaaaa-0000-7000-8000-000000000000"), service="writer", stage="decode", topic="calls.v1",
    partition=0, offset=1, broker_run="run", message_value=b"{", error="DecodeError", reason="malformed",
    failed_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def redrive(monkeypatch, capsys):
    async def on_topics(_kafka):
        return [LETTER]

    monkeypatch.setattr("services.embedded.letters.on_topics", on_topics)
    monkeypatch.setattr("services.embedded.letter_store.stored", lambda *_: [])

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["dlq", "redrive", "--dry-run", "--json", *arguments])
        printed = capsys.readouterr()
        return ended.value.code, json.loads(printed.out)["ids"], printed.err

    return run


def test_every_id_that_is_a_letters_is_success(redrive):
    assert redrive("aaaa") == (0, [str(LETTER.dead_letter_id)], "")


def test_an_id_of_no_letter_is_named_beside_those_that_are(redrive):
    code, ids, err = redrive("aaaa", "bbbb")
    assert (code, ids) == (1, [str(LETTER.dead_letter_id)])
    assert "no dead letter begins with bbbb" in err


def test_all_of_nothing_is_an_error(redrive):
    assert redrive("--all", "--service", "latency")[:2] == (1, [])
