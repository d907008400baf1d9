"""The registry's settings."""

from pydantic import Field, SecretStr

from services.shared.database import state_url
from services.shared.settings import ServiceSettings


class Config(ServiceSettings, env_prefix="TIDEMARK_REGISTRY_"):
    """What the registry is told at the start."""

    http_port: int = Field(8702, ge=0, le=65_535, description="The API, health and metrics; 0 takes any free port.")
    database: str = Field(
        "",
        pattern=r"^$|^(sqlite|postgresql)(\+\w+)?://",
        description="sqlite:///FILE, or postgresql://… where psycopg[binary] is installed too; empty: a file under the "
        "data directory.",
    )
    bootstrap_key: SecretStr = Field(
        SecretStr(""), description="A key that is made valid at the start, with every scope; empty: none."
    )
    bootstrap_tenant: str = Field(
        "local", min_length=1, max_length=200, pattern=r"^[^|]+$", description="The tenant of the bootstrap key."
    )

    @property
    def database_url(self) -> str:
        """Where the state is."""
        return self.database or state_url(self.data, "registry")
