"""The settings of latency."""

from pathlib import Path

from pydantic import Field

from services.latency.prices import LIST
from services.shared.settings import ServiceSettings


class Config(ServiceSettings, env_prefix="TIDEMARK_LATENCY_"):
    """TIDEMARK_LATENCY_*."""

    http_port: int = Field(8711, ge=0, le=65_535, description="Health and metrics; 0 takes any free port.")
    prices: Path = Field(LIST, description="The price list, YAML; your own replaces the one that ships.")
