"""When the ledger says that ids are on disk."""

import os

import pytest
from tidemark.ledger import Ledger


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()


def test_a_batch_is_synced_once_when_all_of_it_is_written(ledger, tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda _file: synced.append((tmp_path / "ledger").read_text()))
    ledger.add(["first", "second"])
    ledger.add([])
    assert synced == ["first\nsecond\n"]


def test_ids_that_cannot_be_synced_are_not_added(ledger, monkeypatch):
    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        ledger.add(["first"])


def test_a_line_that_a_full_disk_took_in_part_is_ended_before_the_next(ledger, tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, lines: write(file, lines[:9]))
    with pytest.raises(OSError, match="in part"):
        ledger.add(["first", "second"])
    monkeypatch.undo()
    ledger.add(["third"])
    assert (tmp_path / "ledger").read_text().split() == ["first", "second", "third"]
