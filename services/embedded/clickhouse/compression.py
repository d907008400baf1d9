"""Bodies in and out of the encodings that ClickHouse's clients use."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import lz4.frame
import zstandard

LARGEST_BODY = 512 * 1024 * 1024
WORTH_COMPRESSING = 1024  # bytes: below, the headers weigh more than what is saved


class BodyError(ValueError):
    """A body that cannot be read; the text says why."""


def _gzip(data: bytes) -> bytes:
    return _whole(data, lambda: zlib.decompressobj(zlib.MAX_WBITS | 32), LARGEST_BODY + 1)


def _lz4(data: bytes) -> bytes:
    return _whole(data, lz4.frame.LZ4FrameDecompressor, LARGEST_BODY + 1)


def _zstd(data: bytes) -> bytes:
    return _whole(data, lambda: zstandard.ZstdDecompressor().decompressobj())


def _whole(data: bytes, decompressor: Callable[[], Any], *bound: int) -> bytes:
    """All members of the body, which may follow each other, each to its end."""
    plain = bytearray()
    while data:
        member = decompressor()
        plain += member.decompress(data, *bound)
        _bounded(plain)
        if not member.eof:
            raise EOFError("it ends too early")
        data = member.unused_data
    return bytes(plain)


_DECODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": _gzip, "deflate": _gzip, "lz4": _lz4, "zstd": _zstd}
# In the order of preference: the fastest first.
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    "gzip": lambda data: gzip.compress(data, compresslevel=1),
}


def decoded(data: bytes, encoding: str) -> bytes:
    """The body behind `Content-Encoding`; raises `BodyError`."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return data
    if name not in _DECODERS:
        raise BodyError(f"Content-Encoding {encoding!r} is not understood; use gzip, deflate, lz4 or zstd")
    try:
        return _DECODERS[name](data)
    except (zlib.error, RuntimeError, zstandard.ZstdError, EOFError) as error:
        raise BodyError(f"the body is not {name}: {error}") from error


def encoded(data: bytes, accepted: str) -> tuple[bytes, str]:
    """The body in the best encoding that `Accept-Encoding` allows, and its name; ("", unchanged) where none pays."""
    offered = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    for name, encode in _ENCODERS.items():
        if name in offered and len(data) >= WORTH_COMPRESSING:
            return encode(data), name
    return data, ""


def _bounded(data: bytearray) -> None:
    if len(data) > LARGEST_BODY:
        raise BodyError(f"the body is larger than {LARGEST_BODY} bytes; send smaller batches")
