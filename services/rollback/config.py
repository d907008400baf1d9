"""The settings of rollback."""

from pathlib import Path

from pydantic import Field

from services.shared.settings import ServiceSettings


class Config(ServiceSettings, env_prefix="TIDEMARK_ROLLBACK_"):
    """Read once, at start."""

    http_port: int = Field(8718, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    policies: Path = Field(
        Path("deploy/policies"), description="A folder of policy files (*.yaml), or one; from the repository's root."
    )
    enabled: bool = Field(True, description="The kill switch: false refuses every decision.")
    step_seconds: float = Field(0.5, gt=0, le=60, description="How often due steps are looked for.")
    poll_seconds: float = Field(
        1.0, gt=0, le=60, description="How often an approval, an answer or windows are asked for."
    )
    repeat_seconds: float = Field(
        5.0, gt=0, le=600, description="A command without an answer is given again after this."
    )
    answer_seconds: float = Field(
        120.0, ge=1, le=86_400, description="A command without an answer is fenced off and given up after this."
    )
    lease_seconds: float = Field(60.0, ge=1, le=3600, description="How long the lease on a target is asked for.")
    alert_retention_seconds: float = Field(
        604_800.0, ge=3600, description="How long alerts that ended are kept; decisions and outcomes stay."
    )
