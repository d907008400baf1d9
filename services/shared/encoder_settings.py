"""The settings of a service that runs the encoder."""

from pydantic import Field

from services.shared.encoder import Device, EncoderOptions
from services.shared.model_store import BUILTIN
from services.shared.sampling import LagBounds
from services.shared.settings import ServiceSettings


class EncoderSettings(ServiceSettings):
    """Which encoder, where, and how much of the machine one process may take."""

    batch_records: int = Field(128, ge=1, le=10_000, description="The most calls in one batch: a few seconds of work.")
    model: str = Field(BUILTIN, min_length=1, description="builtin, a directory or hf:OWNER/NAME, converted at set-up.")
    device: Device = Field("auto", description="auto takes a GPU where there is one; cpu; cuda.")
    threads: int = Field(1, ge=1, le=256, description="Of one forward pass; 1 where processes outnumber cores.")
    batch_tokens: int = Field(1024, ge=64, le=65_536, description="Padded tokens of one forward pass on a CPU.")
    max_windows: int = Field(16, ge=1, le=1024, description="Windows of one long text, evenly spread over it.")
    cache_entries: int = Field(8192, ge=0, le=1_000_000, description="Vectors kept for texts that repeat, 1.5 KB each.")
    sampling_lag_seconds: float = Field(
        120.0, ge=0, le=86_400, description="Behind by more, a sample of the calls is scored: 1/2, 1/4, …; 0 never."
    )
    sampling_lag_messages: int = Field(0, ge=0, description="The same bound in messages; 0 for none.")
    sampling_halvings: int = Field(
        10, ge=1, le=20, description="The smallest sample: one call in 2 to the power of it."
    )
    opinions: int = Field(
        100_000,
        ge=0,
        le=10_000_000,
        description="So many calls with feedback are known and always scored, 0.1 KB each.",
    )

    @property
    def sampling(self) -> LagBounds:
        """From which lag on a sample is scored."""
        return LagBounds(self.sampling_lag_seconds, self.sampling_lag_messages, self.sampling_halvings)

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
        )
