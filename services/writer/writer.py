"""Which column each field of each message goes to, and which of several rows with one id wins."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
    LABELS,
    NUMBER,
    NUMBERS,
    STATISTICS,
    TEXT,
    VERSION,
    Column,
    Columns,
    Table,
    column,
    json,
    largest,
    mapping,
    newest,
    same,
    spans,
    times,
    uuids,
    vector,
)

FULLNESS_BITS = 52  # windows: generation first, then fullness
FAILED_AT_BITS = 52  # dead letters: redrives first, then the microsecond, which fits until 2112
MOST_REDRIVES = 2047
SURENESS_BITS, SUREST = 6, 63
STATUSES = ("failed", "not_scored", "scored")  # a later one wins


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


def sureness(probabilities: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Inclusion probabilities to a factor of two, 0 to 63: of two scores of one call the surer one is right.

    A call that was handled twice at different rates was in the sample of the higher one both times.

    >>> sureness([1.0, 0.5, 0.25, 1e-30]).tolist()
    [63, 62, 61, 0]
    """
    _, exponents = np.frexp(np.asarray(probabilities, np.float64))
    return np.maximum(0, SUREST - 1 + exponents.astype(np.int64))


def _score_version(columns: Columns, _: Sequence[Score]) -> pa.Array:
    """The latest input first, then the better status, then the surer."""
    newest = pc.coalesce(columns["input_at"], columns["called_at"]).cast(COUNT).to_numpy()
    ranks = pc.index_in(columns["status"], pa.array(STATUSES)).cast(COUNT).to_numpy()
    sure = sureness(columns["inclusion_probability"])
    return pa.array((newest * 4 + ranks) << SURENESS_BITS | sure).cast(VERSION)


def _embedding_version(columns: Columns, _: Sequence[Embedding]) -> pa.Array:
    return pa.array(sureness(columns["inclusion_probability"])).cast(VERSION)


def _window_version(_: Columns, windows: Sequence[Window]) -> pa.Array:
    return pa.array([(window.generation << FULLNESS_BITS) + window.fullness for window in windows], VERSION)


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
        *(mapping(name, LABELS) for name in ("groups", "tags")),
        *_numbers("inclusion_probability"),
        *_counts("sequence"),
        column("synthetic", FLAG),
    ],
    same,
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
        spans("evidence"),
        mapping("statistics", STATISTICS),
        mapping("groups", LABELS),
    ],
    _score_version,
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
    ],
    _embedding_version,
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
    return mapping(f"sketch_{side}", BINS, lambda window: getattr(window.sketch, side) if window.sketch else {})


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
        mapping("statistics", STATISTICS),
        *_optional("sketch", "sketch", {"alpha": NUMBER}),
        _bins("positive"),
        _bins("negative"),
        Column("sketch_zero", NUMBER, lambda window: window.sketch.zero if window.sketch else 0.0),
        *_optional("drift", "drift", _DRIFT),
    ],
    _window_version,
)

FEEDBACK = Table(
    "feedback",
    [
        *uuids("feedback_id", "call_id"),
        *_texts("tenant", "kind", "text", "user_id", "source"),
        *times("given_at"),
        *_numbers("value"),
    ],
    same,
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
        mapping("labels", LABELS),
    ],
    largest("changed_at"),
)

_STEPS = [
    *_TARGET,
    *uuids("decision_id", "alert_id"),
    *_texts("kind", "policy", "state", "actor", "from_version", "to_version", "reason"),
    *_counts("step"),
    json("evidence"),
    *times("changed_at"),
]
OUTCOMES = Table("outcomes", [*uuids("outcome_id"), *_STEPS], largest("step"))
# The newest outcome of each decision: deciding service and registry count steps of their own.
DECISIONS = Table("decisions", _STEPS, newest("changed_at", "step"))

COMMANDS = Table(
    "commands",
    [
        *uuids("decision_id", "alert_id"),
        *_TARGET,
        *_texts("kind", "from_version", "to_version", "policy", "reason"),
        *_counts("expected_revision", "fencing_token"),
        *times("issued_at"),
    ],
    largest("issued_at"),
)

DEPLOYMENTS = Table(
    "deployments",
    [
        *uuids("deployment_id", "decision_id"),
        *_TARGET,
        *_counts("revision"),
        *_texts("version", "version_hash", "previous_version", "deployed_by", "reason"),
        json("bundle"),
        mapping("weights", STATISTICS),
        *times("deployed_at"),
    ],
    largest("deployed_at"),
)

REFUSALS = Table(
    "refusals",
    [
        *_texts("tenant", "client_instance", "field"),
        *_counts("sequence"),
        *times("refused_at"),
    ],
    largest("refused_at"),
)


class _Identified(msgspec.Struct):
    call_id: UUID


def call_of(letter: DeadLetter) -> str | None:
    """The call that a dead letter is about, where its bytes still tell."""
    try:
        return str(msgspec.json.decode(letter.message_value or b"", type=_Identified).call_id)
    except UNDECODABLE:
        return None


def _letter_version(columns: Columns, _: Sequence[DeadLetter]) -> pa.Array:
    """What was sent again oftenest first, then what failed latest: a letter that is made again forgets no redrive."""
    redrives = pc.min_element_wise(columns["redrives"], MOST_REDRIVES).to_numpy()
    return pa.array(redrives << FAILED_AT_BITS | columns["failed_at"].cast(COUNT).to_numpy()).cast(VERSION)


DEAD_LETTERS = Table(
    "dead_letters",
    [
        *uuids("dead_letter_id"),
        *_texts("service", "stage", "topic", "broker_run", "error", "reason"),
        *_counts("partition", "offset", "redrives"),
        Column("call_id", TEXT, call_of),
        *(column(name, pa.binary()) for name in ("message_key", "message_value")),
        mapping("headers", LABELS),
        *times("failed_at"),
    ],
    _letter_version,
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
