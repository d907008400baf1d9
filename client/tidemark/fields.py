"""The fields of a call, as an application gives them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict


class CallFields(TypedDict, total=False):
    """Every field is optional; None means unknown, never zero. Times are seconds, money is US dollars.

    A field that is not listed here becomes one of the call's `attributes`.
    """

    call_id: str  # a UUID of your own; made for you otherwise
    app: str
    environment: str
    version: str
    called_at: datetime | float  # seconds since the epoch; now, less the duration, otherwise
    trace_id: str
    span_id: str
    parent_span_id: str
    session_id: str
    user_id: str
    provider: str
    requested_model: str
    answering_model: str
    system_fingerprint: str
    parameters: Mapping[str, Any]
    prompt: str | None
    messages: Sequence[Mapping[str, Any]]  # role, content, name
    system_prompt: str | None
    context: Sequence[str | Mapping[str, Any]]  # texts, or text, document_id, source, similarity
    response: str | None
    choices: Sequence[str | Mapping[str, Any]]
    tool_calls: Sequence[Mapping[str, Any]]
    finish_reason: str
    log_probabilities: Sequence[float]
    tokens: Mapping[str, int]  # input, output, cached, reasoning
    duration_seconds: float
    queue_seconds: float
    time_to_first_token_seconds: float
    inter_token_seconds: Sequence[float]
    cost_usd: float
    error: str | BaseException | Mapping[str, Any]  # kind, message, status
    groups: Mapping[str, str]  # attributes whose values are compared for fairness
    tags: Mapping[str, str]
    expected_format: Mapping[str, Any]
    reference: str
    synthetic: bool
    experiment: str
    arm: str
    attributes: Mapping[str, Any]
    payload_reference: str


class FeedbackFields(TypedDict, total=False):
    """What somebody said of a call."""

    kind: Literal["thumbs", "stars", "acceptance", "edit", "comment", "reference"]
    value: float  # thumbs -1 or 1, stars 1 to 5, acceptance 0 or 1
    text: str  # the comment, the edited response, the late reference
    given_at: datetime | float
    user_id: str
    source: str
