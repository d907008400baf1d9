"""Which column each field of each message goes to, and which of several rows with one id wins."""

from collections.abc import Mapping
from math import frexp
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from schemas.messages import (
    UNDECODABLE,
    Alert,
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
from services.writer.column import (
    BINS,
    COUNT,
    FLAG,
    NUMBER,
    NUMBERS,
    SPANS,
    TEXT,
    Column,
    Table,
    column,
    json,
    labels,
    micros,
    statistics,
    times,
    uuids,
    vector,
    version,
)

FULLNESS_BITS = 52  # windows: generation first, then fullness
SURENESS_BITS, SUREST = 6, 63
STATUS_RANKS = {"failed": 0, "not_scored": 1, "scored": 2}


def _texts(*names: str) -> list[Column]:
    return [column(name, TEXT) for name in names]


def _numbers(*names: str) -> list[Column]:
    return [column(name, NUMBER) for name in names]


def _counts(*names: str) -> list[Column]:
    return [column(name, COUNT) for name in names]


def _within(holder: str, *names: str) -> list[Column]:
    return [column(name, TEXT, f"{holder}.{name}") for name in names]


_SEGMENT = _within("segment", "tenant", "app", "environment", "version")
_TARGET = _within("target", "tenant", "app", "environment")


def sureness(probability: float) -> int:
    """The inclusion probability to a factor of two, 0 to 63: of two scores of one call the surer one is right.

    A call that was handled twice at different rates was in the sample of the higher one both times.

    >>> sureness(1.0), sureness(0.5), sureness(0.25), sureness(1e-30)
    (63, 62, 61, 0)
    """
    return max(0, SUREST - 1 + frexp(probability)[1])


def _score_version(score: Score) -> int:
    newest = micros(score.input_at or score.called_at) * 4 + STATUS_RANKS[score.status]
    return newest << SURENESS_BITS | sureness(score.inclusion_probability)


def _optional(prefix: str, holder: str, kinds: Mapping[str, pa.DataType]) -> list[Column]:
    """Columns `<prefix>_<name>` of the fields of a part that may be missing."""

    def extract(name: str) -> Any:
        def read(message: Any) -> Any:
            part = getattr(message, holder)
            return None if part is None else getattr(part, name)

        return read

    return [Column(f"{prefix}_{name}", kind, extract(name)) for name, kind in kinds.items()]


CALLS = Table(
    "calls",
    [
        *uuids("call_id"),
        *_texts("tenant", "app", "environment", "version"),
        *times("called_at"),
        *_texts("trace_id", "span_id", "parent_span_id", "session_id", "user_id", "provider"),
        *_texts("requested_model", "answering_model", "system_fingerprint", "prompt", "system_prompt", "response"),
        *map(json, ("parameters", "messages", "context", "choices", "tool_calls", "expected_format", "attributes")),
        *_texts("finish_reason", "reference", "client_instance", "experiment", "arm", "payload_reference"),
        *(column(name, NUMBERS) for name in ("log_probabilities", "inter_token_seconds")),
        *(column(f"{name}_tokens", COUNT, f"tokens.{name}") for name in ("input", "output", "cached", "reasoning")),
        *_numbers("duration_seconds", "queue_seconds", "time_to_first_token_seconds", "cost_usd"),
        *_optional("error", "error", {"kind": TEXT, "message": TEXT, "status": pa.int32()}),
        *map(labels, ("groups", "tags")),
        *_numbers("inclusion_probability"),
        *_counts("sequence"),
        column("synthetic", FLAG),
        version(lambda _: 0),
    ],
)

SCORES = Table(
    "scores",
    [
        *uuids("score_id", "call_id"),
        *_SEGMENT,
        *times("called_at", "input_at"),
        *_texts("metric", "status", "reason", "evaluator", "evaluator_version"),
        *_numbers("value", "inclusion_probability"),
        *(column(name, FLAG) for name in ("label", "synthetic")),
        Column("evidence", SPANS, lambda score: [_full(span) for span in score.evidence]),
        statistics("statistics"),
        labels("groups"),
        version(_score_version),
    ],
)

EMBEDDINGS = Table(
    "embeddings",
    [
        *uuids("embedding_id", "call_id"),
        *_SEGMENT,
        *times("called_at"),
        *_texts("field", "encoder", "encoder_version", "session_id"),
        column("dimension", pa.uint16()),
        vector("vector"),
        *_numbers("inclusion_probability"),
        column("synthetic", FLAG),
        version(lambda embedding: sureness(embedding.inclusion_probability)),
    ],
)

_DRIFT = {
    "name": TEXT,
    "statistic": NUMBER,
    "p_value": NUMBER,
    "reference_id": TEXT,
    "reference_version": TEXT,
    "reference_size": COUNT,
    "sample_size": COUNT,
}


def _bins(side: str) -> Column:
    return Column(
        f"sketch_{side}", BINS, lambda window: list(getattr(window.sketch, side).items()) if window.sketch else []
    )


WINDOWS = Table(
    "windows",
    [
        *uuids("window_id"),
        *_SEGMENT,
        *_texts("metric", "evaluator", "evaluator_version", "group"),
        *times("window_start", "window_end"),
        *_counts("interval_seconds", "source_partition", "generation", "count", "not_scored", "failed", "labelled"),
        *_numbers("weight", "weight_squares", "weighted_sum", "weighted_square_sum", "labelled_weight"),
        *_numbers("minimum", "maximum", "corpus"),
        statistics("statistics"),
        *_optional("sketch", "sketch", {"alpha": NUMBER}),
        _bins("positive"),
        _bins("negative"),
        Column("sketch_zero", NUMBER, lambda window: window.sketch.zero if window.sketch else 0.0),
        *_optional("drift", "drift", _DRIFT),
        version(lambda window: (window.generation << FULLNESS_BITS) + window.fullness),
    ],
)

FEEDBACK = Table(
    "feedback",
    [
        *uuids("feedback_id", "call_id"),
        *_texts("tenant", "kind", "text", "user_id", "source"),
        *times("given_at"),
        *_numbers("value"),
        version(lambda _: 0),
    ],
)

ALERTS = Table(
    "alerts",
    [
        *uuids("alert_id"),
        *_texts("fingerprint", "rule", "kind", "state", "severity", "metric", "group", "summary", "baseline_version"),
        *_SEGMENT,
        *_numbers("value", "threshold", "baseline_value"),
        *_counts("count", "interval_seconds"),
        *times("first_window_start", "window_start", "window_end", "changed_at"),
        labels("labels"),
        version(lambda alert: micros(alert.changed_at)),
    ],
)

_STEPS = [
    *_TARGET,
    *uuids("decision_id", "alert_id"),
    *_texts("kind", "policy", "state", "actor", "from_version", "to_version", "reason"),
    *_counts("step"),
    json("evidence"),
    *times("changed_at"),
    version(lambda outcome: outcome.step),
]
OUTCOMES = Table("outcomes", [*uuids("outcome_id"), *_STEPS])
DECISIONS = Table("decisions", _STEPS)  # the newest outcome of each decision

COMMANDS = Table(
    "commands",
    [
        *uuids("decision_id", "alert_id"),
        *_TARGET,
        *_texts("kind", "from_version", "to_version", "policy", "reason"),
        *_counts("expected_revision", "fencing_token"),
        *times("issued_at"),
        version(lambda command: micros(command.issued_at)),
    ],
)

DEPLOYMENTS = Table(
    "deployments",
    [
        *uuids("deployment_id", "decision_id"),
        *_TARGET,
        *_counts("revision"),
        *_texts("version", "version_hash", "previous_version", "deployed_by", "reason"),
        json("bundle"),
        Column("weights", pa.map_(TEXT, NUMBER), lambda deployment: list(deployment.weights.items())),
        *times("deployed_at"),
        version(lambda deployment: micros(deployment.deployed_at)),
    ],
)

REFUSALS = Table(
    "refusals",
    [
        *_texts("tenant", "client_instance", "field"),
        *_counts("sequence"),
        *times("refused_at"),
        version(lambda refusal: micros(refusal.refused_at)),
    ],
)


class _Identified(msgspec.Struct):
    call_id: UUID


def call_of(letter: DeadLetter) -> str | None:
    """The call that a dead letter is about, where its bytes still tell."""
    try:
        return str(msgspec.json.decode(letter.message_value or b"", type=_Identified).call_id)
    except UNDECODABLE:
        return None


DEAD_LETTERS = Table(
    "dead_letters",
    [
        *uuids("dead_letter_id"),
        *_texts("service", "stage", "topic", "broker_run", "error", "reason"),
        *_counts("partition", "offset", "redrives"),
        Column("call_id", TEXT, call_of),
        *(column(name, pa.binary()) for name in ("message_key", "message_value")),
        labels("headers"),
        *times("failed_at"),
        version(lambda letter: micros(letter.failed_at)),
    ],
)

# An outcome is a step of its decision and, until the next one, its state.
TABLES: Mapping[type[Message], tuple[Table, ...]] = {
    Call: (CALLS,),
    Feedback: (FEEDBACK,),
    Embedding: (EMBEDDINGS,),
    Score: (SCORES,),
    Window: (WINDOWS,),
    Alert: (ALERTS,),
    Command: (COMMANDS,),
    Outcome: (OUTCOMES, DECISIONS),
    Deployment: (DEPLOYMENTS,),
    Refusal: (REFUSALS,),
    DeadLetter: (DEAD_LETTERS,),
}


def _full(span: Any) -> dict[str, Any]:
    return {name: getattr(span, name) for name in ("field", "start", "end", "kind", "value")}
