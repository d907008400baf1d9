"""Addresses of machines."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from services.guard.guard.found import Found

_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\w)", re.ASCII)
_V6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:|:(?=:)|(?<=:):){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3}|(?<=:))(?![\w:])",
    re.ASCII,
)
_VERSION = re.compile(
    r"(?:(?:version|release|build|firmware|\bv|[=<>~!]=|[~^]|section|chapter|\u00a7)[\s:.]{0,2}|[A-Z]/)\Z",
    re.IGNORECASE | re.ASCII,
)
# They are the same on every machine.
_NOBODY = frozenset({"127.0.0.1", "0.0.0.0", "255.255.255.255"})  # noqa: S104 - looked for, not bound


def addresses(text: str) -> Iterator[Found]:
    """IPv4 and IPv6 addresses of single machines; neither version numbers nor networks."""
    for match in _V4.finditer(text):
        if _v4(match[0]) and not _VERSION.search(text, max(0, match.start() - 12), match.start()):
            yield Found(match.start(), match.end(), "IP", 0.95)
    for match in _V6.finditer(text):
        if _v6(match[0]):
            yield Found(match.start(), match.end(), "IP", 0.95)


def _v4(written: str) -> bool:
    try:
        IPv4Address(written)
    except AddressValueError:
        return False
    return written not in _NOBODY and not written.startswith("255.") and not written.endswith(".0.0.0")


def _v6(written: str) -> bool:
    """A whole address, or an abridged one with a group that neither a slice, a time nor a scope has."""
    try:
        IPv6Address(written)
    except AddressValueError:
        return False
    groups = [group for group in written.split(":") if group]
    return len(groups) >= 6 or any(len(group) >= 3 and re.search(r"\d", group) for group in groups)
