"""What windows, drift and alerts are computed for."""

import msgspec

from schemas.messages.message import Name


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment points from."""

    tenant: Name
    app: Name
    environment: Name

    @property
    def key(self) -> str:
        """`tenant|app|environment`."""
        return f"{self.tenant}|{self.app}|{self.environment}"


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one application in one environment of one tenant."""

    tenant: Name
    app: Name
    environment: Name
    version: Name

    @property
    def key(self) -> str:
        """`tenant|app|environment|version`."""
        return f"{self.tenant}|{self.app}|{self.environment}|{self.version}"

    @property
    def target(self) -> Target:
        """The deployment that this segment was served by."""
        return Target(tenant=self.tenant, app=self.app, environment=self.environment)
