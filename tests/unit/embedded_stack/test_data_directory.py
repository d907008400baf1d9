"""The data directory: private, locked, and kept."""

import stat

import pytest

from services.embedded.data_directory import AlreadyRunningError, DataDirectory


@pytest.fixture
def data(tmp_path):
    made = DataDirectory(tmp_path / "data")
    made.create()
    return made


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_only_their_owner_reads_them(data):
    key, secret = data.api_key(), data.secret()
    assert (data.api_key(), data.secret()) == (key, secret)
    assert key != secret
    assert {mode(data.api_key_file), mode(data.secret_file)} == {0o600}
    assert mode(data.root) == 0o700


def test_one_stack_at_a_time(data):
    with data.locked():
        assert data.in_use()
        with pytest.raises(AlreadyRunningError), data.locked():
            pass
    assert not data.in_use()


def test_nothing_is_described_before_a_supervisor_ran(data):
    assert data.description() == {}
    data.describe({"pid": 1})
    assert data.description() == {"pid": 1}
