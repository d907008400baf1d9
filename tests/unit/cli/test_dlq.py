"""What `tidemark dlq` prints, whatever is in the letters."""

import json
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from cli.main import main
from schemas.messages import DeadLetter
from services.embedded.letters import Found
from services.shared.errors import Refused

LETTER = DeadLetter(
    dead_letter_id=UUID("aaaaaaaa-0000-7000-8000-000000000000"), service="writer", stage="decode", topic="calls.v1",
    partition=0, offset=1, broker_run="run", message_value=b"{", error="DecodeError", reason="malformed",
    failed_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def dlq(monkeypatch, capsys):
    """Run a subcommand of `dlq` on one letter, with other fields than `LETTER` has; exit code and what it printed."""

    def run(*arguments, foreign=0, **fields):
        async def on_topics(_kafka, wanted, *, with_bytes):
            letter = msgspec.structs.replace(LETTER, **fields)
            return Found([letter] if wanted.passes(letter) else [], foreign)

        monkeypatch.setattr("services.embedded.letters.on_topics", on_topics)
        monkeypatch.setattr("services.embedded.letter_store.stored", lambda *_, with_bytes: [])
        with pytest.raises(SystemExit) as ended:
            main(["dlq", *arguments])
        return ended.value.code, capsys.readouterr()

    return run


@pytest.fixture
def redrive(dlq):
    def run(*arguments):
        code, printed = dlq("redrive", "--dry-run", "--json", *arguments)
        return code, json.loads(printed.out)["ids"], printed.err

    return run


def test_every_id_that_is_a_letters_is_success(redrive):
    assert redrive("aaaa") == (0, [str(LETTER.dead_letter_id)], "")


def test_an_id_of_no_letter_is_named_beside_those_that_are(redrive):
    code, ids, err = redrive("aaaa", "bbbb")
    assert (code, ids) == (1, [str(LETTER.dead_letter_id)])
    assert "no dead letter begins with bbbb" in err


def test_all_of_nothing_is_an_error(redrive):
    assert redrive("--all", "--service", "latency")[:2] == (1, [])


@pytest.mark.parametrize("ids", [[""], ["aaaa", ""]])
def test_an_empty_id_does_not_mean_everything(dlq, ids):
    code, printed = dlq("redrive", "--dry-run", *ids)
    assert (code, printed.out, "an id is empty" in printed.err) == (2, "", True)


@pytest.mark.parametrize("reason", ["Invalid enum value '[/INST]'", "no topic [calls.v1] here"])
def test_a_reason_is_listed_as_it_is(dlq, reason):
    code, printed = dlq("list", reason=reason)
    assert (code, reason in printed.out) == (0, True)


def test_an_id_is_whole_in_a_pipe(dlq):
    code, printed = dlq("list", reason="long " * 20, error="E" * 60, topic="t" * 60)
    assert (code, str(LETTER.dead_letter_id)[:13] in printed.out) == (0, True)


def test_a_message_that_is_nested_too_deeply_is_shown_as_it_came(dlq):
    code, printed = dlq("show", "aaaa", message_value=b"[" * 100_000)
    assert (code, "[" * 100_000 in printed.out) == (0, True)


def test_what_is_no_letter_is_counted(dlq):
    code, printed = dlq("list", "--json", foreign=3)
    assert (code, json.loads(printed.out)["count"]) == (0, 1)
    assert "no dead letters are stepped over: 3" in printed.err


def test_a_refusal_of_the_broker_is_told(dlq, monkeypatch):
    async def refuse(*_):
        raise Refused({0: ValueError("too large")})

    monkeypatch.setattr("services.embedded.letters.redrive", refuse)
    code, printed = dlq("redrive", "aaaa")
    assert (code, "did not take them" in printed.err, "too large" in printed.err) == (2, True, True)
