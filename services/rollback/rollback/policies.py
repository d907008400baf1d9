"""Rollback policies as people write them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta

from schemas.messages import Alert
from schemas.messages.message import Name
from services.shared.match import Match

NO_EVIDENCE = frozenset({"health", "no_data"})  # kinds of alerts that say nothing of a version
Seconds = Annotated[float, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class PolicyError(ValueError):
    """A policy file that cannot be used; the text names file, policy, field and remedy."""


class Verification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How recovery is checked: over `windows` windows after the switch that hold `minimum_count` calls together.

    Without them after `deadline_intervals` intervals and half a minute the decision ends inconclusive.
    """

    windows: Positive = 3
    minimum_count: Positive = 20
    deadline_intervals: Positive = 12


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts lead to a rollback, and within which bounds.

    `rules` are shell patterns of rule names. `minimum_count`: calls in the window that fired; fewer are no evidence.
    `pause_seconds` and `most_per_day` count rollbacks of one target that were ordered. `to_max_age_seconds`: how
    long ago the version to restore may have stopped serving.
    """

    name: Name
    rules: Annotated[tuple[str, ...], Meta(min_length=1)]
    severities: tuple[Literal["info", "warning", "critical"], ...] = ("critical",)
    match: Match = Match()
    approval: Literal["automatic", "manual"] = "automatic"
    approval_seconds: Seconds = 3600.0
    dry_run: bool = False
    minimum_count: Positive = 8
    alert_max_age_seconds: Seconds = 300.0
    to_max_age_seconds: Seconds = 2_592_000.0
    pause_seconds: Seconds = 1800.0
    most_per_day: Positive = 3
    verification: Verification = Verification()

    def covers(self, alert: Alert) -> bool:
        """Whether this policy acts on `alert`; none does where data is missing or Tidemark itself is unwell."""
        if alert.kind in NO_EVIDENCE:
            return False
        wanted = alert.severity in self.severities and any(fnmatchcase(alert.rule, rule) for rule in self.rules)
        return wanted and self.match.covers(alert.segment.target)


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of policies; each is read by itself, so that an error names it."""

    policies: tuple[dict[str, object], ...]


def parse(text: str, file: str) -> tuple[Policy, ...]:
    """The policies that `text`, the content of `file`, declares; the first that covers an alert is its policy.

    Raises `PolicyError` at the first policy that cannot be used.
    """
    try:
        declared = msgspec.convert(yaml.safe_load(text), PolicyFile)
    except yaml.YAMLError as error:
        raise PolicyError(f"{file} is no YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise PolicyError(f"{file}: {error}. A policy file is a mapping with one list, `policies`.") from error
    return tuple(_policy(entry, file) for entry in declared.policies)


def check_names(policies: Sequence[Policy]) -> None:
    """Refuse two policies of one name: their decisions could not be told apart."""
    names = [policy.name for policy in policies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PolicyError(f"two policies are named {twice[0]!r}. Give each policy a name of its own.")


def chosen(policies: Sequence[Policy], alert: Alert) -> Policy | None:
    """The first policy that covers `alert`."""
    return next((policy for policy in policies if policy.covers(alert)), None)


def _policy(entry: dict[str, object], file: str) -> Policy:
    try:
        return msgspec.convert(entry, Policy)
    except msgspec.ValidationError as error:
        where = f"{file}, policy {entry.get('name', '(without a name)')!r}"
        raise PolicyError(f"{where}: {error}. The fields are in the README of rollback.") from error
