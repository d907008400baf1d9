"""The windower's settings."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.shared.settings import ServiceSettings
from services.shared.tumbling import Timing

Interval = Annotated[int, Field(ge=1, le=86_400)]


class Config(ServiceSettings, env_prefix="TIDEMARK_WINDOWER_"):
    """Read once, at start."""

    http_port: int = Field(8715, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    batch_records: int = Field(5000, ge=1, le=100_000, description="The most records that are handled at once.")
    interval_seconds: Annotated[tuple[Interval, ...], NoDecode] = Field(
        (60,), min_length=1, description="Lengths of windows, with commas; the alerter's rules see all of them."
    )
    delay_seconds: float = Field(
        1.0, ge=0, le=3600, description="How long after its end a window is emitted, in event time."
    )
    late_intervals: float = Field(
        2.0, ge=0, le=1000, description="For how many intervals more a window takes scores; then they are late."
    )
    settle_seconds: float = Field(
        5.0, ge=0, le=600, description="For how long of the clock a window stays open after its last score."
    )
    most_groups: int = Field(
        100, ge=0, le=10_000, description="Windows of groups beside that of all calls: the largest."
    )

    @field_validator("interval_seconds", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given

    @property
    def timing(self) -> Timing:
        """When windows are emitted and closed."""
        return Timing(self.delay_seconds, self.late_intervals, self.settle_seconds)
