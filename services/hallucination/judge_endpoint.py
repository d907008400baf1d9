"""The judge's end of an OpenAI-compatible HTTP interface."""

import random
import time
from collections.abc import Sequence
from contextlib import suppress
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
        self._client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=timeout)
        self._model = model
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

    def ask(self, messages: Sequence[dict[str, str]]) -> Verdict:
        """The verdict; raises JudgeError with the last reason."""
        failure = JudgeError("no attempt")
        for attempt in range(self._attempts):
            try:
                response = self._post(messages)
            except httpx.HTTPError as error:
                failure = JudgeError(type(error).__name__)
                _pause(attempt, None, last=attempt + 1 == self._attempts)
                continue
            if response.status_code in AGAIN:
                failure = JudgeError(f"HTTP {response.status_code}")
                _pause(attempt, response.headers.get("retry-after"), last=attempt + 1 == self._attempts)
            elif response.is_success:
                try:
                    return _verdict(response)
                except JudgeError as error:
                    failure = error
            else:
                raise JudgeError(f"HTTP {response.status_code}")
        raise failure

    def _post(self, messages: Sequence[dict[str, str]]) -> httpx.Response:
        response = self._sent(messages, schema=self._schema)
        if self._schema and response.status_code in {400, 422}:
            plain = self._sent(messages, schema=False)
            self._schema = not plain.is_success
            return plain
        return response

    def _sent(self, messages: Sequence[dict[str, str]], *, schema: bool) -> httpx.Response:
        self._budget.spend()
        body: dict[str, Any] = {"model": self._model, "messages": list(messages), "temperature": 0}
        if schema:
            described = {"name": "verdict", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        return self._client.post("chat/completions", json=body)


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


def _pause(attempt: int, retry_after: str | None, *, last: bool) -> None:
    if last:
        return
    seconds = 0.5 * 2**attempt * (0.5 + random.random())  # noqa: S311 - jitter, not secret
    with suppress(TypeError, ValueError):
        seconds = float(retry_after)  # type: ignore[arg-type]
    time.sleep(min(max(seconds, 0.0), LONGEST_PAUSE))
