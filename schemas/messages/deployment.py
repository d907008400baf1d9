"""The pointer from a target to the version that serves it."""

from collections.abc import Mapping
from uuid import UUID

from schemas.messages.message import Json, Message, Name, Timestamp
from schemas.messages.segment import Target


class Deployment(Message, frozen=True, kw_only=True, tag="deployment.v1"):
    """One revision of a deployment: what serves the target from `deployed_at` on."""

    deployment_id: UUID  # uuid5 of target and revision
    target: Target
    revision: int  # counts from 1, without gaps
    version: Name
    version_hash: Name
    bundle: Mapping[str, Json] = {}  # model, provider, parameters, prompt template, …
    weights: Mapping[str, float] = {}  # version to share of traffic, during an experiment
    previous_version: str | None = None
    baseline_version: str | None = (
        None  # pinned by a person: what this one is compared with instead of the previous one
    )
    deployed_at: Timestamp
    deployed_by: Name
    reason: str = ""
    decision_id: UUID | None = None

    @property
    def key(self) -> str:
        """The target."""
        return self.target.key
