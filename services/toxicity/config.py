"""The settings of toxicity."""

from pathlib import Path

from pydantic import Field

from services.shared.classifier import ClassifierOptions
from services.shared.encoder_settings import EncoderSettings

BUILTIN = Path(__file__).parent / "weights" / "toxicity_adapter.safetensors"


class Config(EncoderSettings, env_prefix="TIDEMARK_TOXICITY_"):
    """TIDEMARK_TOXICITY_*."""

    http_port: int = Field(8713, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    adapter: Path = Field(BUILTIN, description="What was trained, for the encoder that `model` names.")

    @property
    def classifier(self) -> ClassifierOptions:
        """What the classifier is told."""
        return self.classifier_options(self.model, self.adapter)
