"""The settings of toxicity."""

from pathlib import Path

from pydantic import Field

from services.shared.encoder_settings import EncoderSettings
from services.toxicity.model import BUILTIN


class Config(EncoderSettings, env_prefix="TIDEMARK_TOXICITY_"):
    """TIDEMARK_TOXICITY_*."""

    http_port: int = Field(8713, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    head: Path = Field(BUILTIN, description="The trained head, for the encoder that `model` names.")
