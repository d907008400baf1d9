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
