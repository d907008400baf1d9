"""The judge's end of an OpenAI-compatible HTTP interface."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from math import inf, isfinite
from typing import Any

import httpx
import msgspec

from schemas.messages import UNDECODABLE
from services.hallucination.judge import SCHEMA, Budget, JudgeError, Verdict, verdict_in

AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}
LONGEST_PAUSE = 20.0  # seconds, whatever Retry-After asks for: the calls behind wait


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Completion(msgspec.Struct, frozen=True):
    choices: tuple[_Choice, ...] = ()


class ChatEndpoint:
    """`POST {url}/chat/completions` with a JSON Schema for the answer, at temperature 0.

    Connection errors, timeouts, 408, 409, 425, 429 and 5xx are tried again, `attempts` times in all, with growing
    jittered pauses or as Retry-After says; so is an answer that is no verdict. An endpoint that refuses the schema
    (400 or 422) is asked for plain JSON from then on. Every request spends budget. Redirects are not followed. For
    several threads at once.
    """

    def __init__(
        self, url: str, model: str, budget: Budget, *, key: str = "", attempts: int = 3, timeout: float = 30.0
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers)
        self._model, self._timeout = model, timeout
        self._attempts = attempts
        self._budget = budget
        self._schema = True

    @property
    def model(self) -> str:
        """Which model judges."""
        return self._model

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def ask(self, messages: Sequence[dict[str, str]], until: float = inf) -> Verdict:
        """The verdict; raises JudgeError with the last reason, at the latest at `until` of the monotonic clock."""
        failure, pause = JudgeError("timeout"), 0.0
        for attempt in range(self._attempts):
            if time.monotonic() + pause >= until:
                break
            time.sleep(pause)
            pause = _pause_seconds(attempt, None)
            try:
                response = self._post(messages, until)
            except httpx.HTTPError as error:
                failure = JudgeError("timeout" if isinstance(error, httpx.TimeoutException) else type(error).__name__)
                continue
            if response.status_code in AGAIN:
                failure = JudgeError(f"HTTP {response.status_code}")
                pause = _pause_seconds(attempt, response.headers.get("retry-after"))
            elif response.is_success:
                try:
                    return _verdict(response)
                except JudgeError as error:
                    failure, pause = error, 0.0
            else:
                raise JudgeError(f"HTTP {response.status_code}")
        raise failure

    def _post(self, messages: Sequence[dict[str, str]], until: float) -> httpx.Response:
        response = self._sent(messages, until, schema=self._schema)
        if self._schema and response.status_code in {400, 422}:
            plain = self._sent(messages, until, schema=False)
            self._schema = not plain.is_success
            return plain
        return response

    def _sent(self, messages: Sequence[dict[str, str]], until: float, *, schema: bool) -> httpx.Response:
        self._budget.spend()
        body: dict[str, Any] = {"model": self._model, "messages": list(messages), "temperature": 0}
        if schema:
            described = {"name": "verdict", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        deadline = min(until, time.monotonic() + self._timeout)
        left = max(1e-3, deadline - time.monotonic())  # the client's own limit is for each read, however many there are
        with self._client.stream("POST", "chat/completions", json=body, timeout=left) as response:
            content = b"".join(_before(deadline, response.iter_raw()))
        return httpx.Response(response.status_code, headers=response.headers, content=content)


def _verdict(response: httpx.Response) -> Verdict:
    try:
        completion = msgspec.json.decode(response.content, type=_Completion)
    except UNDECODABLE:
        raise JudgeError("malformed answer") from None
    message = completion.choices[0].message if completion.choices else _Message()
    if message.refusal:
        raise JudgeError("refused")
    text = (message.content or "").strip()
    # Endpoints without structured output like to put JSON between fences.
    return verdict_in(text.removeprefix("```json").removeprefix("```").removesuffix("```"))


def _before(deadline: float, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer takes too long")
        yield chunk


def _pause_seconds(attempt: int, retry_after: str | None) -> float:
    with suppress(TypeError, ValueError):
        if isfinite(asked := float(retry_after)):  # type: ignore[arg-type]
            return min(max(asked, 0.0), LONGEST_PAUSE)
    return 0.5 * 2**attempt * (0.5 + random.random())  # type: ignore[no-any-return]  # noqa: S311 - jitter, not secret
