"""The two versions of the chatbot, as bundles that the registry keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

APP, ENVIRONMENT = "python-helpdesk", "production"
GOOD, BAD = "v1", "v2"

BUNDLES: dict[str, dict[str, Any]] = {
    GOOD: {
        "model": "extractive-qa",
        "provider": "local",
        "prompt_template": "Answer from the documentation.",
        "answer_from": "context",
        "tone": "plain",
        "audience": "developers",
        "thinking_seconds": 0.05,
    },
    BAD: {
        "model": "extractive-qa-xl",
        "provider": "local",
        "prompt_template": "Answer from what you remember. Be edgy.",
        "answer_from": "memory",
        "tone": "edgy",
        "audience": "everyone",
        "thinking_seconds": 0.9,
    },
}


@dataclass(frozen=True)
class Behaviour:
    """What a bundle makes the chatbot do."""

    model: str
    provider: str
    prompt_template: str
    answer_from: str  # "context", or "memory", which invents
    tone: str  # "plain" or "edgy"
    audience: str  # "developers", or "everyone", shoppers included
    thinking_seconds: float

    @classmethod
    def of(cls, bundle: Mapping[str, Any]) -> Self:
        """The behaviour that a deployment's bundle describes."""
        return cls(**bundle)
