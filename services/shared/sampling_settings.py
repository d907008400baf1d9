"""The settings of a service that takes a sample while it is behind."""

from pydantic import Field

from services.shared.sampling import LagBounds
from services.shared.settings import ServiceSettings


class SamplingSettings(ServiceSettings):
    """From which lag on it samples, and how many calls with feedback it knows."""

    # Twice the load is met at a lag of four bounds, and windows of a minute that are three old never fire.
    sampling_lag_seconds: float = Field(
        30.0, ge=0, le=86_400, description="Behind by more, a sample of the calls is scored: 1/2, 1/4, …; 0 never."
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
