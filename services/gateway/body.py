"""A request's body, never more of it than is allowed."""

import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from services.shared.problem import Problem

GZIP = 31  # zlib's window bits for the gzip format


async def read(request: Request, limit_bytes: int) -> bytes:
    """The body, decompressed; raises `Problem`: 413 above the limit before or after, 415 and 400 for a bad encoding.

    No more than the limit is ever held, whatever a compressed body would grow to.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Problem(
            415, "unknown_encoding", f"{encoding} is not understood", field="Content-Encoding", remedy="send gzip"
        )
    if int(request.headers.get("Content-Length", "0") or 0) > limit_bytes:
        raise _too_large(limit_bytes)
    body = await _collected(request.stream(), limit_bytes)
    return _decompressed(body, limit_bytes) if encoding == "gzip" else body


async def _collected(chunks: AsyncIterator[bytes], limit_bytes: int) -> bytes:
    collected = bytearray()
    async for chunk in chunks:
        collected += chunk
        if len(collected) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(collected)


def _decompressed(body: bytes, limit_bytes: int) -> bytes:
    decompressor = zlib.decompressobj(GZIP)
    try:
        plain = decompressor.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise _broken(str(error)) from error
    if len(plain) > limit_bytes:
        raise _too_large(limit_bytes)
    if not decompressor.eof:
        raise _broken("it ends too early")
    if decompressor.unused_data:  # a body of a hundred thousand members would hold up everybody
        raise _broken("something follows its end")
    return plain


def _broken(said: str) -> Problem:
    return Problem(
        400, "unreadable", f"the body is no gzip: {said}", field="Content-Encoding", remedy="compress it anew"
    )


def _too_large(limit_bytes: int) -> Problem:
    return Problem(413, "too_large", f"the body is larger than {limit_bytes} bytes", remedy="send smaller batches")
