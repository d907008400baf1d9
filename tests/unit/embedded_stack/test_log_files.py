"""Logs stay small and can be followed."""

import pytest

from services.embedded.log_files import Follower, last_error, last_lines, rotate


@pytest.fixture
def log(tmp_path):
    return tmp_path / "writer.log"


def test_a_writer_goes_on_in_the_cut_file(log):
    with log.open("a") as writer:
        writer.write("old\n" * 100)
        writer.flush()
        assert rotate(log, max_bytes=100)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert not rotate(log, max_bytes=100)
    assert last_lines(log, 2) == ["old", "new"]


def test_a_follower_sees_whole_lines_and_survives_a_rotation(log):
    log.write_text("before\n")
    follower = Follower(log)
    with log.open("a") as writer:
        writer.write("one\ntw")
        writer.flush()
        assert list(follower.fresh()) == ["one"]
        writer.write("o\n")
        writer.flush()
        assert list(follower.fresh()) == ["two"]
    rotate(log, max_bytes=0)
    assert list(follower.fresh()) == []
    log.write_text("three\n")
    assert list(follower.fresh()) == ["three"]


def test_a_log_that_is_not_there_has_no_lines(log):
    assert last_lines(log, 5) == []
    assert list(Follower(log).fresh()) == []


def test_the_last_error_is_found_among_other_lines():
    assert last_error(["ValueError: a", "fine", "KeyError: b", "bye"]) == "KeyError: b"
    assert last_error(["fine"]) is None
