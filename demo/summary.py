"""What a demo came to, in numbers."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Summary:
    """The figures of one demo; times in seconds, None for what did not happen."""

    emitted: int
    acknowledged: int
    stored: int
    dead_lettered: int
    lost: int
    duplicates: int
    page_seconds: float | None  # from the start of the demo to the first answer of the page
    first_score_seconds: float | None  # … to the first call that every scorer had scored
    seconds_to_alert: float | None  # from the start of the first window with enough bad calls to the alert
    seconds_to_rollback: float | None  # … to the deployment of the good version
    verified: bool
    peak_memory_bytes: int  # summed proportional set size of everything that ran
    calls_per_second: float
    url: str

    @property
    def closed(self) -> bool:
        """Whether the loop closed and nothing was lost."""
        return self.verified and self.seconds_to_alert is not None and not self.lost and not self.duplicates

    def write(self, file: Path) -> None:
        """Writes the figures as one JSON object."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def lines(self) -> list[str]:
        """The figures as a person reads them."""
        return [
            f"calls      {self.emitted:,} emitted, {self.acknowledged:,} acknowledged = {self.stored:,} stored"
            f" + {self.dead_lettered:,} dead-lettered; {self.lost:,} lost, {self.duplicates:,} twice",
            f"rate       {self.calls_per_second:.1f} calls/s",
            f"start      page after {_seconds(self.page_seconds)}, first call scored by everyone after"
            f" {_seconds(self.first_score_seconds)}",
            f"detection  alert {_seconds(self.seconds_to_alert)} after the first bad window began,"
            f" rolled back after {_seconds(self.seconds_to_rollback)}",
            f"recovery   {'verified' if self.verified else 'not verified'}",
            f"memory     {self.peak_memory_bytes / 2**30:.2f} GiB at the peak, everything together",
        ]


def _seconds(value: float | None) -> str:
    return "– (never)" if value is None else f"{value:.1f} s"
