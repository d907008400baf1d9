"""The settings of a service that runs the encoder."""

from pathlib import Path

from pydantic import Field

from services.shared.classifier import ClassifierOptions
from services.shared.encoder import EncoderOptions
from services.shared.engine import Device, Precision
from services.shared.model_store import BUILTIN
from services.shared.sampling_settings import SamplingSettings


class EncoderSettings(SamplingSettings):
    """Which encoder, where, and how much of the machine one process may take."""

    batch_records: int = Field(128, ge=1, le=10_000, description="The most calls in one batch: a few seconds of work.")
    model: str = Field(BUILTIN, min_length=1, description="builtin, a directory or hf:OWNER/NAME, converted at set-up.")
    device: Device = Field("auto", description="auto takes a GPU where there is one; cpu; cuda.")
    threads: int = Field(1, ge=1, le=256, description="Of one forward pass; 1 where processes outnumber cores.")
    precision: Precision = Field("auto", description="auto: the best the hardware has; int8: see `tidemark models`.")
    int8_difference: float = Field(
        0.05, ge=0, le=1, description="int8 is used where 99 % of the texts measured differ by no more."
    )
    memory_mb: int = Field(
        0, ge=0, description="What weights and a forward pass may take on a CPU; 0: what is there. More ends the start."
    )
    batch_tokens: int = Field(1024, ge=64, le=65_536, description="Padded tokens of one forward pass on a CPU.")
    max_windows: int = Field(16, ge=1, le=1024, description="Windows of one long text, evenly spread over it.")
    cache_entries: int = Field(8192, ge=0, le=1_000_000, description="Vectors kept for texts that repeat, 1.5 KB each.")

    @property
    def encoder(self) -> EncoderOptions:
        """What the encoder is told."""
        return EncoderOptions(
            model=self.model,
            models=self.models,
            device=self.device,
            threads=self.threads,
            batch_tokens=self.batch_tokens,
            max_windows=self.max_windows,
            cache_entries=self.cache_entries,
            precision=self.precision,
            int8_difference=self.int8_difference,
            memory_mb=self.memory_mb,
        )

    def classifier_options(self, source: str, adapter: Path | None) -> ClassifierOptions:
        """What a classifier is told: `adapter` on the encoder `source`, or the published classifier `source`."""
        return ClassifierOptions(**{**vars(self.encoder), "model": source}, adapter=adapter)
