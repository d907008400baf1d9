"""Asking a part whether it is ready."""

import asyncio
import json
from collections.abc import Iterable

import httpx

from services.embedded.part import Part

ANSWER_SECONDS = 2.0


class Probes:
    """Looks at every running part; a part that does not answer in two seconds is not ready."""

    def __init__(self) -> None:
        # No proxy of the machine's environment stands between the supervisor and its own ports.
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False)

    async def look(self, parts: Iterable[Part]) -> None:
        """Ask all of them at once and let each take note."""
        await asyncio.gather(*(self._ask(part) for part in parts if part.pid is not None))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _ask(self, part: Part) -> None:
        try:
            answer = await self._http.get(part.launch.ready_url)
        except httpx.HTTPError as error:
            part.judge(answers=False, ready=False, reason=str(error) or type(error).__name__)
            return
        part.judge(answers=True, ready=answer.is_success, reason="" if answer.is_success else why(answer.text))


def why(answer: str) -> str:
    """The reasons in what `/health/ready` answered, or the answer itself.

    >>> why('{"ready": false, "parts": {"consumer": "no topic", "view": "ready"}}')
    'consumer: no topic'
    """
    try:
        parts = json.loads(answer)["parts"]
    except (ValueError, KeyError, TypeError):
        return answer[:300]
    return "; ".join(f"{part}: {reason}" for part, reason in parts.items() if reason != "ready")
