"""Dead letters as ClickHouse keeps them, those of earlier broker runs included."""

from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import msgspec

from schemas.messages import DeadLetter
from services.embedded.letters import Filter

_ANSWER_SECONDS = 15.0
# Bytes go as base64, since JSON holds text only.
_QUERY = """
SELECT * EXCEPT (message_key, message_value) REPLACE (
    concat(replaceOne(toString(failed_at), ' ', 'T'), 'Z') AS failed_at
)%s
FROM dead_letters
WHERE ({service:String} = '' OR service = {service:String})
  AND ({topic:String} = '' OR topic = {topic:String})
  AND ({reason:String} = '' OR positionCaseInsensitiveUTF8(concat(error, ': ', reason), {reason:String}) > 0)
  AND ({ids:String} = '' OR arrayExists(id -> startsWith(toString(dead_letter_id), id), splitByChar(',', {ids:String})))
ORDER BY failed_at
SETTINGS output_format_json_quote_64bit_integers = 0
FORMAT JSONEachRow
"""
_BYTES = ", base64Encode(message_key) AS message_key, base64Encode(message_value) AS message_value"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class StoreError(Exception):
    """ClickHouse does not answer, or not with dead letters."""


def stored(url: str, database: str, wanted: Filter, *, with_bytes: bool = True) -> list[DeadLetter]:
    """The stored letters that pass; `url` may carry user and password. Raises `StoreError`."""
    parts = urlsplit(url)
    address = urlunsplit(("http" if not parts.scheme else parts.scheme, parts.netloc.rpartition("@")[2], "/", "", ""))
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    try:
        answer = httpx.post(
            address,
            params={"database": database, **_parameters(wanted)},
            content=_QUERY % (_BYTES if with_bytes else ""),
            auth=credentials,
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StoreError(str(error) or type(error).__name__) from error
    if not answer.is_success:
        raise StoreError(answer.text.strip()[:300])
    return [letter for line in answer.content.splitlines() if wanted.passes(letter := _letter(line))]


def _parameters(wanted: Filter) -> dict[str, str]:
    fields = {"service": wanted.service, "topic": wanted.topic, "reason": wanted.reason, "ids": ",".join(wanted.ids)}
    return {f"param_{name}": value.translate(_ESCAPED) for name, value in fields.items()}


def _letter(line: bytes) -> DeadLetter:
    row: dict[str, Any] = msgspec.json.decode(line)
    return msgspec.convert({**row, "type": "dead_letter.v1"}, DeadLetter)
