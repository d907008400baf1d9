"""Which version serves, by one answer of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Deployment(NamedTuple):
    """What serves an app in an environment, for one unit of assignment.

    `bundle` is that of the deployment's own version; `source` is `gateway`, `disk` or `default`.
    """

    version: str
    bundle: Mapping[str, Any]
    revision: int
    arm: str | None  # the version drawn for the unit, during an experiment
    source: str


class Answer(NamedTuple):
    """The newest answer of the gateway, as it came."""

    body: Mapping[str, Any]
    source: str

    def deployment(self, unit: str | None) -> Deployment:
        """What serves `unit` (a user, a session): the same unit always gets the same arm of the same weights."""
        weights, revision = self.body.get("weights") or {}, int(self.body.get("revision") or 0)
        arm = drawn(weights, f"{self.body['version']}|{unit}") if weights and unit is not None else None
        return Deployment(
            version=arm or self.body["version"],
            bundle=self.body.get("bundle") or {},
            revision=revision,
            arm=arm,
            source=self.source,
        )


def drawn(weights: Mapping[str, float], unit: str) -> str:
    """The name that `unit` falls to: shares in proportion to the weights, in the order of the names.

    >>> drawn({"v1": 0.0, "v2": 1.0}, "ada")
    'v2'
    """
    from hashlib import blake2b  # noqa: PLC0415 - `import tidemark` takes this file along and should stay fast

    digest = blake2b(unit.encode("utf-8", "replace"), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64 * sum(weights.values())
    for name in sorted(weights):
        place -= weights[name]
        if place < 0:
            return name
    return max(weights, key=lambda name: weights[name])
