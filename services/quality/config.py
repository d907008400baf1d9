"""The settings of quality."""

from pydantic import Field

from services.shared.encoder_settings import EncoderSettings


class Config(EncoderSettings, env_prefix="TIDEMARK_QUALITY_"):
    """TIDEMARK_QUALITY_*."""

    http_port: int = Field(8720, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    metrics: str = Field(
        "all", min_length=1, description="Names with commas, or all; without reference_similarity no model is needed."
    )
    causal_model: str = Field(
        "",
        description="A directory or hf:OWNER/NAME of a causal model for the perplexity of calls without "
        "log-probabilities; needs torch. Empty for none.",
    )
    waiting_seconds: float = Field(
        86_400.0, ge=1, description="How long feedback waits for its call to be stored; then it is given up."
    )
    repeats_records: int = Field(
        2000, ge=1, le=1_000_000, description="How many calls back, in a partition, a repeated question is looked for."
    )
    repeats_seconds: float = Field(
        86_400.0, ge=1, le=172_800, description="Older answers to a repeated question are not compared with."
    )
    waiting_bytes: int = Field(
        256 << 20, ge=1 << 20, description="How much feedback may wait, on disk; then the oldest is given up."
    )
