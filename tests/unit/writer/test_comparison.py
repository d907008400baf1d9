"""What the reject files of clients say."""

import json
from uuid import UUID

from services.writer.comparison import refused, unsent

ONE, OTHER, TORN = (UUID(int=number) for number in (1, 2, 3))


def line(call_id):
    return json.dumps({"rejected_at": "2026-01-01T00:00:00+00:00", "id": str(call_id), "field": "called_at"})


def test_refused_calls_are_found_in_every_spool_and_a_torn_line_is_not(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "rejected.jsonl").write_text(f"{line(ONE)}\nno JSON\n{line(TORN)}")
    (tmp_path / "app" / "rejected.jsonl.1").write_text(f"{line(OTHER)}\n")
    assert set(refused([tmp_path, tmp_path / "none"])) == {ONE, OTHER}


def test_what_was_refused_does_not_wait_to_be_sent(tmp_path):
    (tmp_path / "rejected.jsonl").write_text(f"{line(ONE)}\n")
    (tmp_path / "1.spool").write_text("waits")
    assert list(unsent(tmp_path, "run")) == [b"waits"]
