"""The settings of hallucination."""

from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from services.hallucination.model import BUILTIN, CONSISTENCY
from services.hallucination.tagger import ADAPTER
from services.shared.classifier import ClassifierOptions
from services.shared.encoder_settings import EncoderSettings


class Config(EncoderSettings, env_prefix="TIDEMARK_HALLUCINATION_"):
    """TIDEMARK_HALLUCINATION_*."""

    http_port: int = Field(8714, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    batch_records: int = Field(64, ge=1, le=10_000, description="The most calls in one batch: contexts are long.")
    adapter: Path = Field(ADAPTER, description="The token classifier, an adapter of the encoder that `model` names.")
    head: Path = Field(BUILTIN, description="The trained head, for that adapter.")
    consistency_head: Path = Field(CONSISTENCY, description="The trained head of consistency.")
    detector: str = Field(
        "builtin",
        min_length=1,
        description="builtin, or a directory or hf:OWNER/NAME of a token classifier, NLI or HHEM model; needs torch.",
    )
    judge_url: str = Field("", description="An OpenAI-compatible endpoint, as https://host/v1; empty for no judge.")
    judge_model: str = Field("", description="The model that judges there.")
    judge_key: SecretStr = Field(SecretStr(""), description="The endpoint's key.")
    judge_share: float = Field(0.05, gt=0, le=1, description="Share of the calls that are judged, by hash of their id.")
    judge_hourly: int = Field(600, ge=0, le=1_000_000, description="Requests an hour, repeats included.")
    judge_timeout_seconds: float = Field(30.0, gt=0, le=600, description="For one answer.")
    judge_threads: int = Field(4, ge=1, le=64, description="Requests at a time.")

    @model_validator(mode="after")
    def _judge_is_whole(self) -> Self:
        if self.judge_url and not self.judge_url.startswith(("http://", "https://")):
            raise ValueError("judge_url is no http or https URL: name one, or leave it empty for no judge")
        if bool(self.judge_url) != bool(self.judge_model):
            raise ValueError("judge_url and judge_model go together: set both, or neither for no judge")
        return self

    @property
    def classifier(self) -> ClassifierOptions:
        """What the token classifier is told."""
        return replace(self.classifier_options(self.model, self.adapter), cache_entries=0)  # no pair comes twice
