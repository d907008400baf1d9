"""The drift service's settings."""

from pydantic import Field

from services.drift.drift import Rules
from services.drift.drift.arrays import DeviceName, arrays
from services.shared.settings import ServiceSettings
from services.shared.tumbling import Timing


class Config(ServiceSettings, env_prefix="TIDEMARK_DRIFT_"):
    """Read once, at start."""

    http_port: int = Field(8716, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    interval_seconds: int = Field(300, ge=1, le=86_400, description="The length of a window, in event time.")
    reference_size: int = Field(
        200, ge=10, le=10_000, description="The first calls of a version that become its reference, once."
    )
    minimum_sample: int = Field(24, ge=4, le=10_000, description="Windows with fewer calls are not judged.")
    maximum_sample: int = Field(500, ge=10, le=10_000, description="The most calls of a window that are compared.")
    permutations: int = Field(
        19_999, ge=19, le=99_999, description="Of one test, at most; the smallest p-value is 1 / (permutations + 1)."
    )
    delay_seconds: float = Field(
        1.0, ge=0, le=3600, description="How long after its end a window is judged, in event time."
    )
    late_intervals: float = Field(
        2.0, ge=0, le=1000, description="For how many intervals more a window takes calls; then they are late."
    )
    settle_seconds: float = Field(
        5.0, ge=0, le=600, description="For how long of the clock a window stays open after its last call."
    )
    device: DeviceName = Field("auto", description="auto, cpu or cuda: where matrices are multiplied.")

    @property
    def rules(self) -> Rules:
        """How windows are cut and judged."""
        return Rules(
            interval_seconds=self.interval_seconds,
            reference_size=self.reference_size,
            minimum_sample=self.minimum_sample,
            maximum_sample=self.maximum_sample,
            permutations=self.permutations,
            timing=Timing(self.delay_seconds, self.late_intervals, self.settle_seconds),
            arrays=arrays(self.device),
        )
