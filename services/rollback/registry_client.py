"""What the rollback service asks of the registry, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from schemas.messages import Deployment, Target
from services.shared.access import TENANT_HEADER

TIMEOUT_SECONDS = 5.0


class RegistryAwayError(Exception):
    """The registry does not answer; asking again later is the remedy."""


class LeasedError(Exception):
    """Somebody else holds the lease on the target."""


@dataclass(frozen=True)
class Lease:
    """The right to change a target alone, and what ran when it was given."""

    fencing_token: int
    revision: int
    version: str | None


class RegistryClient:
    """Deployments, freezes and leases. Every method raises `RegistryAwayError` where the registry cannot answer."""

    def __init__(self, url: str, secret: str, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)

    def deployment(self, target: Target) -> Deployment | None:
        """What serves the target; None where nothing was ever deployed."""
        answer = self._send("GET", _path(target), target)
        return None if answer.status_code == 404 else Deployment.decode(_good(answer).content)

    def stopped(self, target: Target) -> str | None:
        """Why automatic actions on the target are stopped; None where they are not."""
        answer = _good(self._send("GET", "/v1/freeze", target))
        for freeze in answer.json()["freezes"]:
            if freeze["app"] in ("", target.app) and freeze["environment"] in ("", target.environment):
                return str(freeze["reason"])
        return None

    def lease(self, target: Target, holder: str, seconds: float) -> Lease:
        """Take or renew the lease; `LeasedError` while somebody else's lasts."""
        body = {"holder": holder, "seconds": seconds}
        answer = self._send("POST", f"{_path(target)}/lease", target, body)
        if answer.status_code == 409:
            raise LeasedError(answer.json()["error"]["message"])
        found = _good(answer).json()
        return Lease(found["fencing_token"], found["revision"], found["version"])

    def release(self, target: Target, fencing_token: int) -> None:
        """End the lease early; one that is gone already is fine."""
        self._send("DELETE", f"{_path(target)}/lease/{fencing_token}", target)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, method: str, path: str, target: Target, body: object = None) -> httpx.Response:
        named = {TENANT_HEADER.encode(): target.tenant.encode()}  # of a text httpx takes ASCII alone
        with _away():
            return self._client.request(method, path, headers=named, json=body)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise RegistryAwayError(f"{type(error).__name__}: {error}") from error


def _good(answer: httpx.Response) -> httpx.Response:
    with _away():
        return answer.raise_for_status()


def _path(target: Target) -> str:
    return f"/v1/deployments/{quote(target.app, safe='')}/{quote(target.environment, safe='')}"
