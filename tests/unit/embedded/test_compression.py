"""A compressed body is taken whole or not at all."""

import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from services.embedded.clickhouse import compression
from services.embedded.clickhouse.compression import BodyError, decoded

PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.fixture(params=PACK.items(), ids=PACK)
def packing(request):
    return request.param


def test_members_that_follow_each_other_are_all_taken(packing):
    name, pack = packing
    assert decoded(pack(b"one") + pack(b"two"), name) == b"onetwo"


def test_a_body_that_is_cut_is_refused(packing):
    name, pack = packing
    for cut in (pack(b"row" * 1000)[:-3], pack(b"row" * 1000)[:8], pack(b"one") + pack(b"two")[:-3]):
        with pytest.raises(BodyError):
            decoded(cut, name)


def test_a_body_that_is_followed_by_something_else_is_refused(packing):
    name, pack = packing
    with pytest.raises(BodyError):
        decoded(pack(b"one") + b"something else", name)


def test_members_that_are_too_large_together_are_refused(packing, monkeypatch):
    name, pack = packing
    monkeypatch.setattr(compression, "LARGEST_BODY", 5)
    with pytest.raises(BodyError, match="larger than 5"):
        decoded(pack(b"one") + pack(b"two"), name)
