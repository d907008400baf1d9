"""The alerter's settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from services.shared.settings import ServiceSettings


class Config(ServiceSettings, env_prefix="TIDEMARK_ALERTER_"):
    """Read once, at start."""

    http_port: int = Field(8717, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    rules: Path = Field(
        Path("deploy/rules"), description="A folder of rule files (*.yaml), or one; from the repository's root."
    )
    notify: SecretStr = Field(
        SecretStr(""), description="Apprise addresses that are told of alerts, with spaces between."
    )
    step_seconds: float = Field(0.5, gt=0, le=60, description="How often windows that came are judged.")
    settle_seconds: float = Field(
        0.25, ge=0, le=60, description="How long a window waits for its other source partitions."
    )
    late_intervals: int = Field(
        3, ge=1, le=1000, description="Windows that ended more intervals ago than this are stored and never fire."
    )
    retention_seconds: float = Field(
        172_800.0, ge=3600, description="How long windows are kept to compare with; two days by default."
    )
    repeat_seconds: float = Field(
        14_400.0, ge=60, description="How often people are reminded of an alert that still fires."
    )
