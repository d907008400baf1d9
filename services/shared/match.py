"""Which targets a rule or a policy is for."""

from fnmatch import fnmatchcase

import msgspec

from schemas.messages import Target


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shell patterns for tenant, application and environment; the default covers everything.

    >>> Match(app="docs-*").covers(Target(tenant="t", app="docs-bot", environment="production"))
    True
    """

    tenant: str = "*"
    app: str = "*"
    environment: str = "*"

    def covers(self, target: Target) -> bool:
        """Whether every pattern fits."""
        pairs = ((target.tenant, self.tenant), (target.app, self.app), (target.environment, self.environment))
        return all(fnmatchcase(name, pattern) for name, pattern in pairs)
