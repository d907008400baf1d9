"""A disk that takes a part of what is written, and then nothing, until there is room again."""

import json
import os
from contextlib import contextmanager

import pytest
from tidemark.ledger import Ledger
from tidemark.rejects import Rejects


@pytest.fixture
def room(monkeypatch):
    """A disk with room for some bytes."""

    @contextmanager
    def limited(left):
        write = os.write

        def scarce(file, block):
            nonlocal left
            if not left:
                raise OSError(28, "No space left on device")
            written = write(file, block[:left])
            left -= written
            return written

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", scarce)
            yield

    return limited


def test_an_id_that_was_torn_is_completed_before_the_next(tmp_path, room):
    ledger = Ledger(tmp_path / "ledger")
    with room(5):
        for call_ids in (["one", "two", "three"], ["lost"]):
            with pytest.raises(OSError, match="Errno 28"):
                ledger.add(call_ids)
    ledger.add(["four"])
    ledger.close()
    assert (tmp_path / "ledger").read_text().split() == ["one", "two", "three", "four"]


def test_an_id_that_was_torn_last_is_completed_at_the_end(tmp_path, room):
    ledger = Ledger(tmp_path / "ledger")
    with room(2), pytest.raises(OSError, match="Errno 28"):
        ledger.add(["one"])
    ledger.close()
    assert (tmp_path / "ledger").read_text() == "one\n"


def test_an_id_that_was_torn_is_left_to_the_parent_by_a_forked_child(tmp_path, room):
    ledger = Ledger(tmp_path / "ledger")
    with room(2), pytest.raises(OSError, match="Errno 28"):
        ledger.add(["one"])
    ledger.abandon()
    assert (tmp_path / "ledger").read_text() == "on"


def test_a_ledger_closes_though_the_disk_stays_full(tmp_path, room):
    ledger = Ledger(tmp_path / "ledger")
    with room(2):
        with pytest.raises(OSError, match="Errno 28"):
            ledger.add(["one"])
        ledger.close()
        ledger.close()


def test_a_refusal_that_was_torn_is_completed_before_the_next(tmp_path, room):
    rejects = Rejects(tmp_path / "rejected.jsonl")
    with room(20):
        for item_id in ("one", "lost"):
            with pytest.raises(OSError, match="Errno 28"):
                rejects.add(item_id, {}, None)
    rejects.add("two", {}, None)
    lines = (tmp_path / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["one", "two"]
