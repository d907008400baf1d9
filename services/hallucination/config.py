"""The settings of hallucination."""

from pathlib import Path

from pydantic import Field

from services.hallucination.model import BUILTIN
from services.shared.encoder_settings import EncoderSettings


class Config(EncoderSettings, env_prefix="TIDEMARK_HALLUCINATION_"):
    """TIDEMARK_HALLUCINATION_*."""

    http_port: int = Field(8714, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    batch_records: int = Field(64, ge=1, le=10_000, description="The most calls in one batch: contexts are long.")
    head: Path = Field(BUILTIN, description="The trained head, for the encoder that `model` names.")
