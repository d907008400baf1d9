"""One request to a model and its response."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from schemas.messages.message import InclusionProbability, Json, Message, Name, Timestamp
from schemas.messages.segment import Segment


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One turn of the conversation that was sent to the model."""

    role: Name
    content: str
    name: str | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One retrieved text that the model was given as context."""

    text: str
    document_id: str | None = None
    source: str | None = None
    similarity: float | None = None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a tool that the model asked for; `arguments` is the text as the model wrote it."""

    name: str
    arguments: str = ""
    tool_call_id: str | None = None
    result: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several alternative answers to the same request."""

    text: str
    finish_reason: str | None = None
    log_probabilities: tuple[float, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Token counts as the provider billed them."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None


class CallError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the call failed."""

    kind: Name
    message: str = ""
    status: int | None = None


class ExpectedFormat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the response has to parse as; `definition` is a JSON Schema, a pattern or the choices."""

    kind: Literal["json", "json_schema", "regex", "choice", "xml", "python"]
    definition: Json = None


class Call(Message, frozen=True, kw_only=True, tag="call.v1"):
    """One request to a model and its response, as the application saw it.

    Times are seconds, money is US dollars, timestamps carry a time zone. `called_at` is the event time: when the
    request left the application. Everything that may be unknown is optional; None means unknown, never zero.
    """

    call_id: UUID  # UUIDv7, made once, in the application
    tenant: str = ""  # stamped by the gateway from the credential
    app: Name
    environment: Name
    version: Name
    called_at: Timestamp
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    provider: str | None = None
    requested_model: str | None = None
    answering_model: str | None = None
    system_fingerprint: str | None = None
    parameters: Mapping[str, Json] = {}
    prompt: str | None = None
    messages: tuple[ChatMessage, ...] = ()
    system_prompt: str | None = None
    context: tuple[Document, ...] = ()
    response: str | None = None
    choices: tuple[Choice, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    log_probabilities: tuple[float, ...] = ()
    tokens: Tokens = Tokens()
    duration_seconds: float | None = None
    queue_seconds: float | None = None
    time_to_first_token_seconds: float | None = None
    inter_token_seconds: tuple[float, ...] = ()
    cost_usd: float | None = None
    error: CallError | None = None
    groups: Mapping[str, str] = {}  # attributes whose values are compared for fairness
    tags: Mapping[str, str] = {}
    expected_format: ExpectedFormat | None = None
    reference: str | None = None
    inclusion_probability: InclusionProbability = 1.0
    client_instance: str | None = None
    sequence: Annotated[int, msgspec.Meta(ge=0)] | None = None  # per client instance, without gaps
    synthetic: bool = False
    experiment: str | None = None
    arm: str | None = None
    attributes: Mapping[str, Json] = {}  # raw, as received: names are data
    payload_reference: str | None = None

    @property
    def key(self) -> str:
        """`tenant|trace`: the calls of one trace keep their order; a call without a trace is its own."""
        return f"{self.tenant}|{self.trace_id or self.call_id}"

    @property
    def segment(self) -> Segment:
        """What the scores of this call are aggregated under."""
        return Segment(tenant=self.tenant, app=self.app, environment=self.environment, version=self.version)

    @property
    def question(self) -> str | None:
        """The prompt, or the last user turn of `messages`."""
        if self.prompt is not None:
            return self.prompt
        return next((turn.content for turn in reversed(self.messages) if turn.role == "user"), None)

    @property
    def answer(self) -> str | None:
        """The response, or the text of the first choice."""
        if self.response is not None:
            return self.response
        return self.choices[0].text if self.choices else None
