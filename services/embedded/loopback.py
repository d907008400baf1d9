"""A proxy of the machine's environment does not stand between the programs of this machine."""

from collections.abc import Mapping

HOSTS = ("127.0.0.1", "localhost")


def reached_directly(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep a proxy away from this machine's own addresses; every other host goes on as it did.

    Both spellings hold the same: a library reads the one, or the other, or the other only where the one is missing.

    >>> reached_directly({"http_proxy": "http://proxy:3128", "NO_PROXY": "intern.example"})["no_proxy"]
    'intern.example,127.0.0.1,localhost'
    """
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    named = [host.strip() for host in given.split(",") if host.strip()]
    # An asterisk means every host only where it stands alone.
    hosts = given if named == ["*"] else ",".join([*named, *(host for host in HOSTS if host not in named)])
    return {"no_proxy": hosts, "NO_PROXY": hosts}
