"""The gateway's settings."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.gateway.admission import Most
from services.gateway.gateway import Limits
from services.shared.settings import ServiceSettings
from services.shared.tumbling import AHEAD_SECONDS


class Config(ServiceSettings, env_prefix="TIDEMARK_GATEWAY_"):
    """What the gateway is told at the start."""

    http_port: int = Field(8700, ge=0, le=65_535, description="The API, health and metrics; 0 takes any free port.")
    body_bytes: int = Field(4 << 20, ge=1024, le=64 << 20, description="The largest body, after decompression.")
    batch_calls: int = Field(1000, ge=1, le=10_000, description="The most messages in one body.")
    call_bytes: int = Field(4_000_000, ge=1024, le=15 << 20, description="The largest call; feedback has 900,000.")
    inline_bytes: int = Field(
        256 << 10, ge=4096, le=900_000, description="A larger call goes by reference: its texts to the payloads."
    )
    in_flight_bytes: int = Field(
        64 << 20,
        ge=1 << 20,
        description="Bodies in hand; more is 429, above half also what one key has beyond a quarter.",
    )
    in_flight_requests: int = Field(
        256,
        ge=1,
        le=100_000,
        description="Requests in hand; more is 429, above half also what one key has beyond a quarter.",
    )
    unsettled_bytes: int = Field(
        64 << 20, ge=1 << 20, description="Sent, late and still with the producer; more is 429: Kafka is slow or away."
    )
    body_seconds: float = Field(30, gt=0, le=600, description="How long a body may take to come; then it is 408.")
    rate_per_second: float = Field(10_000, gt=0, description="Messages a second of one key; more is 429.")
    burst_calls: int = Field(50_000, ge=1, description="Messages of one key at once; at least one full body.")
    retention_days: float = Field(30, gt=0, description="Older event times are refused.")
    ahead_seconds: float = Field(AHEAD_SECONDS, ge=0, description="Event times further ahead of the clock are refused.")
    send_seconds: float = Field(10, gt=0, le=60, description="How long Kafka may take; then the verdict is retry.")
    keys_seconds: float = Field(5, ge=0.1, le=600, description="Between two fetches of the keys' hashes.")
    spool: Path | None = Field(None, description="The folder of accepted messages; unset: the broker's log is durable.")
    spool_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Services whose commits let spooled messages go, with commas; empty: every group with a commit."
    )
    spool_limit_bytes: int = Field(4 << 30, ge=16 << 20, description="A spool larger than this takes no more: 429.")

    @field_validator("spool_groups", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(filter(None, (part.strip() for part in given.split(",")))) if isinstance(given, str) else given

    @property
    def most(self) -> Most:
        """What is let in at once."""
        return Most(
            bytes=max(self.in_flight_bytes, self.body_bytes),
            requests=self.in_flight_requests,
            per_second=self.rate_per_second,
            burst=max(self.burst_calls, self.batch_calls),
        )

    @property
    def limits(self) -> Limits:
        """What may be in one body."""
        return Limits(
            largest_body_bytes=self.body_bytes,
            most=self.batch_calls,
            largest_bytes=self.call_bytes,
            inline_bytes=self.inline_bytes,
            body_seconds=self.body_seconds,
            oldest=timedelta(days=self.retention_days),
            ahead=timedelta(seconds=self.ahead_seconds),
        )
