"""The settings of the writer."""

from pydantic import Field

from services.shared.settings import ServiceSettings


class Config(ServiceSettings, env_prefix="TIDEMARK_WRITER_"):
    """TIDEMARK_WRITER_*."""

    http_port: int = Field(8710, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    batch_records: int = Field(10_000, ge=1, le=100_000, description="The most messages that are inserted at once.")
    linger_seconds: float = Field(
        0.5, ge=0, le=60, description="How long a batch may wait to be filled: each insert costs the store a part."
    )
    completeness_seconds: int = Field(
        10, ge=1, le=3600, description="How often store, log and clients' numbers are compared; more rarely under load."
    )
    completeness_grace_seconds: float = Field(
        600.0, ge=0, le=86_400, description="How long what is not there may be on its way, in a spool for example."
    )
