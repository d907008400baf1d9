"""What a replay is asked to do, in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.topics import Topic
from services.embedded.lag import topics_of
from services.embedded.services import SERVICES, Service
from services.shared.settings import PREFIX

NAME = re.compile(r"[a-zA-Z0-9._-]{0,100}")  # as the service itself takes it; empty is the time of the order


@dataclass(frozen=True)
class Place:
    """A time, or an offset of every partition; neither is the end of what is there."""

    time: datetime | None = None
    offset: int | None = None


@dataclass(frozen=True)
class Order:
    """Who reads what again, from where to where (exclusive), and what it is told otherwise than the running one."""

    topic: Topic[Any]
    service: Service
    name: str
    start: Place
    end: Place
    settings: Mapping[str, str]


def order(
    topic: str, service: str, *, start: str, end: str = "", name: str = "", settings: tuple[str, ...] = ()
) -> Order:
    """The order; raises `ValueError` with the remedy where it makes no sense."""
    chosen = next((each for each in SERVICES if each.name == service), None)
    able = [each.name for each in SERVICES if each.replays]
    if chosen is None or not chosen.replays:
        raise ValueError(f"{service} does not replay: it would act, or keep state, twice; there are {', '.join(able)}")
    read = {each.name: each for each in topics_of(chosen)}
    if topic not in read:
        raise ValueError(f"{service} does not read {topic}; it reads {', '.join(read)}")
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name} names no replay: give at most 100 of the letters a to z and A to Z, digits, . _ and -"
        )
    return Order(
        read[topic],
        chosen,
        name or datetime.now(UTC).strftime("%Y%m%dT%H%M%S"),
        place(start),
        place(end) if end else Place(),
        dict(_setting(each, service) for each in settings),
    )


def place(text: str) -> Place:
    """A time, or an offset; raises `ValueError`.

    >>> place("17").offset, place("2026-01-31T10:00:00Z").time.year
    (17, 2026)
    """
    if text.isascii() and text.isdecimal():
        return Place(offset=int(text))
    return Place(time=moment(text, "neither an offset nor a time"))


def moment(text: str, otherwise: str = "no time") -> datetime:
    """A time, UTC where it says nothing else; raises `ValueError`, which says what the text is `otherwise`.

    >>> moment("2026-01-31T10:00:00Z") == moment("2026-01-31 11:00+01:00") == moment("2026-01-31T10:00")
    True
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is {otherwise}: write it like 2026-01-31T10:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _setting(text: str, service: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    own = f"{PREFIX}{service.upper()}_"
    if not given or not name.startswith(own):
        raise ValueError(f"{text} is no setting of {service}: write {own}NAME=VALUE")
    return name, value
