"""The embedder's settings."""

from pydantic import Field

from services.shared.encoder_settings import EncoderSettings


class Config(EncoderSettings, env_prefix="TIDEMARK_EMBEDDER_"):
    """TIDEMARK_EMBEDDER_*."""

    http_port: int = Field(8712, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
