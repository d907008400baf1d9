"""Topics as data: one YAML file each, loaded once.

>>> CALLS.name, CALLS.message.__name__
('calls.v1', 'Call')
>>> dead_letters("latency").name
'dlq.latency.v1'
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from schemas import messages
from schemas.messages import (
    Alert,
    Answer,
    Call,
    Command,
    DeadLetter,
    Deployment,
    Embedding,
    Feedback,
    Message,
    Outcome,
    Refusal,
    Score,
    Window,
)

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Topic(Generic[M]):
    """What a topic carries and how it is kept; `name` is without the deployment's prefix.

    `retention_seconds` and `retention_bytes` (of one partition; None: no bound) hold for `cleanup` "delete" alone.
    """

    name: str
    meaning: str
    message: type[M]
    key: str
    partitions: int
    cleanup: str  # "delete" or "compact"
    retention_seconds: int
    max_message_bytes: int
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention_bytes: int | None = None
    observers: tuple[str, ...] = ()  # read it without a group: nobody waits for them
    stored: bool = True  # false: it passes between the parts of one service, and nobody keeps it


def _load(file: str, message: type[M]) -> Topic[M]:
    declared: dict[str, Any] = yaml.safe_load((Path(__file__).parent / f"{file}.yaml").read_text())
    if getattr(messages, declared["message"]) is not message:
        raise TypeError(f"{file}.yaml declares {declared['message']}, the code {message.__name__}")
    lists = {name: tuple(declared.get(name, ())) for name in ("producers", "consumers", "observers")}
    return Topic(**{**declared, **lists, "message": message})


CALLS = _load("calls", Call)
FEEDBACK = _load("feedback", Feedback)
ANSWERS = _load("answers", Answer)
EMBEDDINGS = _load("embeddings", Embedding)
SCORES = _load("scores", Score)
WINDOWS = _load("windows", Window)
ALERTS = _load("alerts", Alert)
COMMANDS = _load("commands", Command)
OUTCOMES = _load("outcomes", Outcome)
DEPLOYMENTS = _load("deployments", Deployment)
REFUSALS = _load("refusals", Refusal)
_DEAD_LETTERS = _load("dlq", DeadLetter)

TOPICS: tuple[Topic[Any], ...] = (
    CALLS,
    FEEDBACK,
    EMBEDDINGS,
    SCORES,
    WINDOWS,
    ALERTS,
    COMMANDS,
    OUTCOMES,
    DEPLOYMENTS,
    REFUSALS,
    ANSWERS,
)


def dead_letters(service: str) -> Topic[DeadLetter]:
    """The topic that holds what `service` could not take."""
    return replace(_DEAD_LETTERS, name=_DEAD_LETTERS.name.format(service=service))


def every_topic() -> list[Topic[Any]]:
    """The declared topics, and the dead letters of every service that consumes one of them."""
    services = sorted({service for topic in TOPICS for service in topic.consumers})
    return [*TOPICS, *map(dead_letters, services)]


def stored_topics() -> list[Topic[Any]]:
    """Every topic whose messages are kept in ClickHouse."""
    return [topic for topic in every_topic() if topic.stored]
