"""What one run of one fault came to."""

from dataclasses import asdict, dataclass, field, fields

from tests.support.campaign.targets import BEFORE, meets


@dataclass(frozen=True, kw_only=True)
class Record:
    """The figures of a run; None is what was not measured or does not apply.

    `acknowledged = stored + dead_lettered + lost`. `duplicates_before_final` counts physical rows beyond the first of
    a call, as far as they were seen before a merge took them; `duplicates`, calls that come twice through the view.
    Delays are from emission until a poll saw the row. `recovery_seconds` is the longest of all strikes, `stall_seconds`
    the longest time in which nothing became stored, `catch_up` the rate after an outage in units of the live rate.
    `passed` is what became of the calls, `in_time` what became of the targets of time.
    """

    fault: str
    broker: str
    acknowledged: int = 0
    stored: int = 0
    dead_lettered: int = 0
    lost: int = 0
    duplicates_before_final: int | None = None
    duplicates: int = 0
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    recovery_seconds: float | None = None
    seed: int
    command: str
    passed: bool = False
    why: str = ""  # it did not pass
    target: str = ""
    targets: dict = field(default_factory=dict)  # limits of figures of time, by the figure's name
    smaller: str = ""  # in what it is less than the target
    strikes: int = 0
    calls_per_second: float = 0.0
    stall_seconds: float | None = None
    catch_up: float | None = None
    restarts: int | None = None
    longest_emit_seconds: float | None = None
    dropped: int = 0
    load_before: float | None = None  # the machine's load average when the run began
    more: dict = field(default_factory=dict)  # the fault's own figures, by name

    @property
    def key(self):
        """Runs with the same key are the same run, done again."""
        return (self.fault, self.broker, self.seed, self.command)

    @property
    def in_time(self):
        """Whether every target of time was met; None where there is none."""
        met = [meets(name, getattr(self, name), limit) for name, limit in self.targets.items()]
        return all(met) if met else None

    def as_dict(self):
        """Every field by name."""
        return asdict(self)

    @classmethod
    def of(cls, found):
        """Out of what `as_dict` made, also by another version of this."""
        known = {each.name for each in fields(cls)}
        said = {name: value for name, value in found.items() if name in known}
        return cls(**{"targets": BEFORE.get(found["fault"], {})} | said)
