"""Keys while the registry is there, and while it is not."""

import httpx
import msgspec
import pytest

from services.gateway.keys import KeyCache
from services.shared.access import KeyHash

KEY = KeyHash("k1", "acme", "shop", "abc", ("emit",))


class Registry:
    """Answers with the hashes it has, or not at all."""

    def __init__(self) -> None:
        self.keys = [KEY]
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/keys/hashes"
        return httpx.Response(self.status, content=msgspec.json.encode({"keys": self.keys}))


@pytest.fixture
def registry():
    return Registry()


def a_cache(registry, folder) -> KeyCache:
    transport = httpx.MockTransport(registry.answer)
    return KeyCache(httpx.AsyncClient(transport=transport, base_url="http://registry"), folder / "state" / "keys.json")


async def test_a_key_is_known_after_a_fetch_and_unknown_after_its_revocation(registry, tmp_path):
    cache = a_cache(registry, tmp_path)
    assert (cache.find("abc"), cache.known) == (None, False)
    await cache.fetch()
    assert (cache.find("abc"), cache.known) == (KEY, True)
    registry.keys = []
    await cache.fetch()
    assert cache.find("abc") is None


async def test_a_registry_that_is_away_changes_nothing_even_after_a_restart(registry, tmp_path):
    await a_cache(registry, tmp_path).fetch()
    registry.status = 503
    restarted = a_cache(registry, tmp_path)
    with pytest.raises(httpx.HTTPStatusError):
        await restarted.fetch()
    assert restarted.find("abc") == KEY


async def test_only_the_owner_may_read_the_saved_keys(registry, tmp_path):
    await a_cache(registry, tmp_path).fetch()
    (saved,) = (tmp_path / "state").iterdir()
    assert saved.stat().st_mode & 0o777 == 0o600


async def test_keys_are_saved_where_they_differ(registry, tmp_path):
    file = tmp_path / "state" / "keys.json"
    cache = a_cache(registry, tmp_path)
    await cache.fetch()
    before = file.stat()
    await cache.fetch()
    assert file.stat() == before
    registry.keys = []
    await cache.fetch()
    assert file.read_bytes() == b'{"keys":[]}'


async def test_saved_keys_that_cannot_be_read_are_fetched_anew(registry, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "keys.json").write_text("{")
    cache = a_cache(registry, tmp_path)
    assert not cache.known
    await cache.fetch()
    assert cache.find("abc") == KEY
