"""What the broker's topics lack of what is declared, and what is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.topics import Topic

Action = Literal["create", "grow", "change", "refuse", "keep"]
UNBOUNDED = -1
BOUNDS = ("retention.ms", "retention.bytes")
MOST_IN_SYNC = 2


@dataclass(frozen=True)
class Found:
    """A topic as the broker has it; `settings` is None where the broker does not tell them."""

    partitions: int
    copies: int
    settings: Mapping[str, str] | None
    empty: bool


@dataclass(frozen=True)
class Broker:
    """What the broker has and what it can do; `topics` are those under the prefix, by their full names."""

    topics: Mapping[str, Found]
    brokers: int
    tells: bool = True
    alters: bool = True
    grows: bool = True


@dataclass(frozen=True)
class Wish:
    """How topics are to be kept: copies of each message, and whether what lies there may be deleted earlier."""

    copies: int
    shorter: bool = False

    @classmethod
    def on(cls, brokers: int, copies: int | None = None, *, shorter: bool = False) -> "Wish":
        """Three copies where there are three brokers, else one, unless `copies` says otherwise."""
        return cls(copies or (3 if brokers >= 3 else 1), shorter)


@dataclass(frozen=True)
class Change:
    """One setting that is another one than declared."""

    setting: str
    found: str
    declared: str


@dataclass(frozen=True)
class Step:
    """One declared topic: what is to be done, what is refused and why, and what cannot be known."""

    topic: str
    partitions: int
    copies: int
    settings: Mapping[str, str]
    found_partitions: int = 0
    changes: tuple[Change, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def create(self) -> bool:
        """Whether it is missing."""
        return self.found_partitions == 0

    @property
    def grow(self) -> bool:
        """Whether it gets more partitions."""
        return 0 < self.found_partitions < self.partitions

    @property
    def pending(self) -> bool:
        """Whether there is something to do."""
        return self.create or self.grow or bool(self.changes)

    @property
    def action(self) -> Action:
        """The weightiest of what is to be said of it."""
        if self.refused:
            return "refuse"
        if self.create:
            return "create"
        return "grow" if self.grow else "change" if self.changes else "keep"

    def as_dict(self) -> dict[str, Any]:
        """For printing."""
        return {
            "topic": self.topic,
            "action": self.action,
            "partitions": self.partitions,
            "found_partitions": self.found_partitions,
            "replication_factor": self.copies,
            "settings": dict(self.settings),
            "changes": [vars(change) for change in self.changes],
            "refused": list(self.refused),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Plan:
    """A step for each declared topic, and the topics that nobody declares: told, never deleted."""

    steps: tuple[Step, ...]
    unknown: tuple[str, ...]

    @property
    def pending(self) -> bool:
        """Whether there is something to do."""
        return any(step.pending for step in self.steps)

    @property
    def refused(self) -> tuple[Step, ...]:
        """The topics that are not, and will not be made, as declared."""
        return tuple(step for step in self.steps if step.refused)


def plan(declared: Mapping[str, Topic[Any]], broker: Broker, wish: Wish) -> Plan:
    """The steps from what `broker` has to what is `declared` (by full names).

    Never among them: fewer partitions; more partitions where something lies (a key would move to another partition);
    another cleanup policy; a shorter retention, unless it is wished; other copies; an end of what nobody declares.
    """
    steps = tuple(_step(name, topic, broker, wish) for name, topic in declared.items())
    return Plan(steps, tuple(sorted(set(broker.topics) - set(declared))))


def settings(topic: Topic[Any], copies: int) -> dict[str, str]:
    """The settings of a topic that has so many copies; one of them may be away where there are three."""
    given = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": str(topic.max_message_bytes),
        "min.insync.replicas": str(max(1, min(MOST_IN_SYNC, copies - 1))),
    }
    if topic.cleanup == "delete":
        given["retention.ms"] = str(topic.retention_seconds * 1000)
        if topic.retention_bytes is not None:
            given["retention.bytes"] = str(topic.retention_bytes)
    return given


def _step(name: str, topic: Topic[Any], broker: Broker, wish: Wish) -> Step:
    found = broker.topics.get(name)
    if found is None:
        return Step(name, topic.partitions, wish.copies, settings(topic, wish.copies))
    wanted = settings(topic, found.copies)
    changes, unchanged = _changes(wanted, found.settings or {}, broker, wish)
    partitions, kept = _partitions(topic.partitions, found, broker)
    refused = [*kept, *_copies(found, wish), *unchanged]
    notes = _notes(wanted, found)
    return Step(name, partitions, found.copies, wanted, found.partitions, tuple(changes), tuple(refused), tuple(notes))


def _partitions(declared: int, found: Found, broker: Broker) -> tuple[int, list[str]]:
    """The number that it is to have, and why it is not the declared one."""
    if declared == found.partitions:
        return declared, []
    why = f"it has {found.partitions} partitions, {declared} are declared: "
    if declared < found.partitions:
        return found.partitions, [why + "partitions cannot be taken away; declare a new version of the topic"]
    if not found.empty:
        moved = "messages lie there, whose keys would move to other partitions; declare a new version of the topic"
        return found.partitions, [why + moved]
    if not broker.grows:
        return found.partitions, [why + "this broker adds no partitions; make the topic anew"]
    return declared, []


def _copies(found: Found, wish: Wish) -> Iterable[str]:
    if found.copies < wish.copies:
        yield (
            f"it has {found.copies} copies of each message, {wish.copies} are wanted: let Kafka's "
            f"kafka-reassign-partitions add them, or accept it with --replication-factor {found.copies}"
        )


def _changes(
    wanted: Mapping[str, str], found: Mapping[str, str], broker: Broker, wish: Wish
) -> tuple[list[Change], list[str]]:
    changes, refused = [], []
    for name, declared in wanted.items():
        if name not in found or found[name] == declared:
            continue
        change = Change(name, found[name], declared)
        if why := _refusal(change, broker, wish):
            refused.append(f"{name} is {change.found}, {declared} is declared: {why}")
        else:
            changes.append(change)
    return changes, refused


def _refusal(change: Change, broker: Broker, wish: Wish) -> str:
    if change.setting == "cleanup.policy":
        return "messages would be deleted that nobody expects to go; declare a new version of the topic"
    if change.setting in BOUNDS and _shorter(change) and not wish.shorter:
        return "what lies there would be deleted earlier; --allow-shorter-retention allows it"
    return "" if broker.alters else "this broker changes no settings; make the topic anew"


def _shorter(change: Change) -> bool:
    found, declared = int(change.found), int(change.declared)
    return declared != UNBOUNDED and (found == UNBOUNDED or declared < found)


def _notes(wanted: Mapping[str, str], found: Found) -> Iterable[str]:
    if found.settings is None:
        yield "this broker does not tell its settings"
    elif silent := [name for name in wanted if name not in found.settings]:
        yield f"this broker does not tell {', '.join(silent)}"
