"""The settings of the console."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from services.shared.settings import ServiceSettings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Config(ServiceSettings, env_prefix="TIDEMARK_CONSOLE_"):
    """TIDEMARK_CONSOLE_*."""

    http_port: int = Field(8701, ge=0, le=65_535, description="The page, health and metrics; 0 takes any free port.")
    password: SecretStr = Field(
        SecretStr(""), description="Asked for by the page (user `tidemark`); empty asks nothing, on loopback only."
    )
    hosts: str = Field(
        "localhost,127.0.0.1", description="Names that the page may be opened under, with commas between them."
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.http_host not in LOOPBACK and not self.password.get_secret_value():
            raise ValueError("beyond loopback the page needs TIDEMARK_CONSOLE_PASSWORD")
        return self

    @property
    def allowed_hosts(self) -> list[str]:
        """The names, one by one."""
        return [name.strip() for name in self.hosts.split(",") if name.strip()]
