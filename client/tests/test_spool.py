"""What lies on disk survives, and comes back oldest first."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tidemark import spool as spools
from tidemark.spool import Spool, frame, read


def payloads(*numbers):
    return [b'{"number":%d}' % number for number in numbers]


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path, instance="own", max_bytes=10_000)
    yield spool
    spool.close()


def test_what_was_appended_comes_back_in_order_until_it_is_settled(spool):
    spool.append(payloads(1, 2))
    spool.append(payloads(3))
    assert len(spool) == 3
    assert spool.oldest(2) == payloads(1, 2) == spool.oldest(2)
    spool.settle(payloads(1))
    assert spool.oldest(9) == payloads(2, 3)
    spool.settle(payloads(2, 3))
    assert (spool.oldest(9), len(spool), spool.size_bytes) == ([], 0, 0)


def test_what_comes_while_the_rest_is_sent_goes_behind_it(spool):
    spool.append(payloads(1))
    assert spool.oldest(9) == payloads(1)
    spool.append(payloads(2))
    assert spool.oldest(9) == payloads(1)
    spool.settle(payloads(1))
    assert spool.oldest(9) == payloads(2)


def test_only_what_fits_is_taken(tmp_path):
    line = len(frame(payloads(1)[0]))
    spool = Spool(tmp_path, instance="own", max_bytes=2 * line)
    assert spool.append(payloads(1, 2, 3)) == 2
    assert spool.append(payloads(4)) == 0
    assert spool.oldest(9) == payloads(1, 2)
    spool.settle(payloads(1, 2))
    assert spool.append(payloads(5)) == 1
    spool.close()


@pytest.mark.parametrize("torn", range(1, 23))
def test_a_torn_tail_costs_the_torn_line_alone(tmp_path, torn):
    path = tmp_path / "1.spool"
    whole = b"".join(map(frame, payloads(1, 2)))
    path.write_bytes(whole[:-torn])
    left = len(frame(payloads(2)[0])) - torn
    assert read(path) == (payloads(1), 1 if left else 0)


def test_a_damaged_line_costs_that_line_alone(tmp_path):
    path = tmp_path / "1.spool"
    one, two, three = map(frame, payloads(1, 2, 3))
    path.write_bytes(one + two.replace(b"2", b"7") + three)
    assert read(path) == (payloads(1, 3), 1)


def test_a_write_that_fails_promises_nothing(spool, monkeypatch):
    spool.append(payloads(1))

    def full(file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            spool.append(payloads(2))
    spool.append(payloads(3))
    assert spool.oldest(9) == payloads(1, 3)


def test_a_lock_that_cannot_be_had_once_fails_that_append_alone(spool, monkeypatch):
    def no_files(*_given, **_options):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(spools, "_lock", no_files)
        with pytest.raises(OSError, match="Too many"):
            spool.append(payloads(1))
    assert spool.append(payloads(2)) == 1
    assert spool.oldest(9) == payloads(2)


def segments(spool, *numbers):
    """One segment for each payload, oldest first."""
    made = []
    for number in numbers:
        spool.append(payloads(number))
        made.append(spool._open[0])
        spool._seal()
    return made


def test_a_segment_that_is_gone_is_counted_and_holds_nothing_up(spool):
    segments(spool, 1, 2)[0].unlink()
    with pytest.raises(FileNotFoundError):
        spool.oldest(9)
    assert spool.oldest(9) == payloads(2)
    assert (len(spool), spool.damaged) == (1, 1)


def test_a_segment_that_cannot_be_read_holds_nothing_up_and_is_tried_again_later(spool, tmp_path, monkeypatch):
    first, _ = segments(spool, 1, 2)

    def broken(path):
        if path == first:
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as patched:
        patched.setattr(spools, "read", broken)
        with pytest.raises(OSError, match="Input/output"):
            spool.oldest(9)
        assert spool.oldest(9) == payloads(2)
        spool.settle(payloads(2))
        assert (spool.oldest(9), len(spool)) == ([], 1)
    later = time.monotonic() + spools.UNREADABLE_SECONDS
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: later)
        assert spool.oldest(9) == payloads(1)
    spool.close()
    second = Spool(tmp_path, instance="second", max_bytes=10_000)
    assert second.adopt() == 1
    assert second.oldest(9) == payloads(1)
    second.close()


@pytest.mark.parametrize("sealed", [True, False])
def test_a_folder_that_was_removed_is_made_again(spool, tmp_path, sealed):
    spool.append(payloads(1))
    if sealed:
        spool._seal()
    shutil.rmtree(tmp_path / "own")
    assert spool.append(payloads(2)) == 1
    assert spool.append(payloads(3)) == 1
    with pytest.raises(FileNotFoundError):
        spool.oldest(9)
    assert spool.oldest(9) == payloads(2, 3)


def test_the_spool_of_a_living_process_is_left_alone(tmp_path, spool):
    spool.append(payloads(1))
    other = Spool(tmp_path, instance="other", max_bytes=10_000)
    assert other.adopt() == 0
    assert other.oldest(9) == []
    other.close()


def test_the_spool_of_a_dead_process_is_adopted_once_and_oldest_first(tmp_path, spool):
    code = """if True:
        import os, sys
        from pathlib import Path
        from tidemark.spool import Spool
        Spool(Path(sys.argv[1]), instance="dead", max_bytes=10_000).append([b'{"number":1}'])
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=Path(__file__).parents[1])
    spool.append(payloads(2))
    assert spool.adopt() == 1
    second = Spool(tmp_path, instance="second", max_bytes=10_000)
    assert second.adopt() == 0
    assert spool.oldest(9) == payloads(1)
    spool.settle(payloads(1))
    assert spool.oldest(9) == payloads(2)
    spool.settle(payloads(2))
    spool.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_can_read_it(tmp_path, spool):
    spool.append(payloads(1))
    (segment,) = tmp_path.rglob("*.spool")
    assert segment.stat().st_mode & 0o777 == 0o600
    assert segment.parent.stat().st_mode & 0o777 == 0o700
