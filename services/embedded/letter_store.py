"""Dead letters as ClickHouse keeps them, those of earlier broker runs included."""

from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import msgspec

from schemas.messages import DeadLetter

_ANSWER_SECONDS = 15.0
# Bytes go as base64, since JSON holds text only.
_QUERY = """
SELECT * REPLACE (
    base64Encode(message_key) AS message_key,
    base64Encode(message_value) AS message_value,
    concat(replaceOne(toString(failed_at), ' ', 'T'), 'Z') AS failed_at
)
FROM dead_letters ORDER BY failed_at
SETTINGS output_format_json_quote_64bit_integers = 0
FORMAT JSONEachRow
"""


class StoreError(Exception):
    """ClickHouse does not answer, or not with dead letters."""


def stored(url: str, database: str) -> list[DeadLetter]:
    """Every stored letter; `url` may carry user and password. Raises `StoreError`."""
    parts = urlsplit(url)
    address = urlunsplit(("http" if not parts.scheme else parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    try:
        answer = httpx.post(
            address,
            params={"database": database},
            content=_QUERY,
            auth=credentials,
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StoreError(str(error) or type(error).__name__) from error
    if not answer.is_success:
        raise StoreError(answer.text.strip()[:300])
    return [_letter(line) for line in answer.content.splitlines()]


def _letter(line: bytes) -> DeadLetter:
    row: dict[str, Any] = msgspec.json.decode(line)
    return msgspec.convert({**row, "type": "dead_letter.v1"}, DeadLetter)
