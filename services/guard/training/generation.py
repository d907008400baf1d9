"""Texts with known spans, made from templates."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from services.guard.training.people import TITLES, People

TEMPLATES = Path(__file__).parent / "templates.txt"
_SLOT = re.compile(r"\{(\w+)\}")
PRODUCTS = (
    "Python", "Windows", "Excel", "Docker", "Kubernetes", "iPhone", "Galaxy", "PlayStation", "Photoshop", "Ubuntu",
    "Chrome", "PostgreSQL", "Kafka", "React", "Tesla Model 3", "Kindle", "Bitcoin", "Netflix", "Spotify", "Word",
    "Java", "TensorFlow",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "monday", "tomorrow", "today")


PEOPLES = (
    "American", "British", "Irish", "German", "French", "Spanish", "Italian", "Dutch", "Swedish", "Polish", "Turkish",
    "Greek", "Russian", "Ukrainian", "Japanese", "Chinese", "Korean", "Indian", "Nigerian", "Mexican", "Brazilian",
    "Catholic", "Muslim", "Jewish", "Buddhist", "European", "Asian", "African", "Latin", "Roman",
)  # fmt: skip
# What is called after somebody is nobody: a firm, a place.
FIRMS = ("{} & {}", "{} Group", "{} Ltd", "{} Brothers", "{}, {} & Co", "{} Holdings", "{} Insurance", "{} and Sons")
PLACES = (
    "{} Hospital", "{} Airport", "{} University", "{} Bridge", "{} Library", "{} Museum", "{} Park", "{} Stadium",
    "{} Station", "the {} Centre", "St. {}'s Church", "Mount {}", "Lake {}", "{} Hall", "{} High School",
)  # fmt: skip

# Kana before Han: Japanese has both.
_SCRIPTS = (
    (re.compile("[\u3040-\u30ff]"), ("ja_JP",)),
    (re.compile("[\u4e00-\u9fff]"), ("zh_CN",)),
    (re.compile("[\uac00-\ud7af]"), ("ko_KR",)),
    (re.compile("[\u0400-\u04ff]"), ("ru_RU", "uk_UA")),
    (re.compile("[\u0600-\u06ff]"), ("ar_SA",)),
    (re.compile("[\u0900-\u097f]"), ("hi_IN",)),
    (re.compile("[\u0370-\u03ff]"), ("el_GR",)),
)


class Tagged(NamedTuple):
    """A text and its spans: start, end and kind; outside of them words that are `unknown` teach nothing."""

    text: str
    spans: tuple[tuple[int, int, str], ...] = ()
    unknown: frozenset[str] = frozenset()


class Filler:
    """Fills the slots of templates."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._makers: dict[str, tuple[str, Callable[[str], str]]] = {
            "name": ("PERSON", people.name),
            "first": ("PERSON", people.first),
            "last": ("PERSON", people.last),
            "address": ("ADDRESS", people.address),
            "street": ("ADDRESS", people.street),
            "phone": ("PHONE", self._phone),
            "title": ("", lambda _: people.random.choice(TITLES)),
            "city": ("", lambda locale: people.drawn(locale, "city")),
            "country": ("", lambda locale: people.drawn(people.random.choice([locale, "en_US"]), "country")),
            "org": ("", lambda locale: people.drawn(locale, "company")),
            "job": ("", lambda locale: people.drawn(people.random.choice([locale, "en_US"]), "job")),
            "product": ("", lambda _: people.random.choice(PRODUCTS)),
            "email": ("", self._email),
            "date": ("", self._date),
            "time": ("", lambda _: f"{people.random.randint(0, 23)}:{people.random.randint(0, 59):02}"),
            "weekday": ("", lambda _: people.random.choice(DAYS)),
            "month": ("", lambda _: people.random.choice(MONTHS)),
            "num": ("", self._number),
            "amount": ("", lambda locale: people.random.choice(["$", "€", "£", "USD "]) + self._number(locale)),
            "card": ("", lambda _: " ".join(self._digits(4) for _ in range(4))),
            "iban": ("", lambda _: "DE" + self._digits(20)),
            "ip": ("", lambda _: ".".join(str(people.random.randint(1, 254)) for _ in range(4))),
            "code": ("", self._code),
            "postcode": ("", lambda locale: people.drawn(locale, "postcode")),
            "people": ("", lambda _: people.random.choice(PEOPLES)),
            "firm": ("", lambda locale: self._called(FIRMS, locale)),
            "named": ("", lambda locale: self._called(PLACES, locale)),
            "word": ("", lambda locale: re.sub(r"\W", "", people.drawn(locale, "company").lower())),
        }

    def filled(self, template: str) -> Tagged:
        """`template` with values for its slots, all of one country."""
        locale = self._native(template) or self.people.locale(latin=0.93 if template.isascii() else 0.6)
        return self.composed(template, lambda slot: self.value(slot, locale))

    def _native(self, template: str) -> str | None:
        """Mostly a locale that writes as a template does whose script is not Latin."""
        choose = self.people.random
        fitting = next((locales for written, locales in _SCRIPTS if written.search(template)), ())
        return choose.choice(fitting) if fitting and choose.random() < 0.8 else None

    def value(self, slot: str, locale: str) -> tuple[str, str]:
        """The kind of a slot and a value."""
        kind, make = self._makers[slot]
        return kind, make(locale)

    @staticmethod
    def composed(template: str, value: Callable[[str], tuple[str, str]]) -> Tagged:
        """The text, and the spans of its values."""
        text, spans, end = "", [], 0
        for slot in _SLOT.finditer(template):
            text += template[end : slot.start()]
            kind, made = value(slot[1])
            if kind:
                spans.append((len(text), len(text) + len(made), kind))
            text, end = text + made, slot.end()
        return Tagged(text + template[end:], tuple(spans))

    def _digits(self, count: int) -> str:
        return "".join(self.people.random.choices("0123456789", k=count))

    def _code(self, _: str) -> str:
        """An identifier that is no telephone number."""
        random = self.people.random
        letters = "".join(random.choices("ABCDEFGHKLMNPRSTUWXYZ", k=random.choice([0, 1, 1, 2, 3])))
        joined = random.choice(["", "", "-"]) if letters else ""
        return letters + joined + self._digits(random.randint(5, 14))

    def _called(self, ways: Sequence[str], locale: str) -> str:
        return self.people.random.choice(ways).format(*(self.people.drawn(locale, "last") for _ in range(2)))

    def _number(self, _: str) -> str:
        random = self.people.random
        return random.choice(
            [str(random.randint(1, 20)), str(random.randint(20, 99_999)), f"{random.uniform(0, 999):.2f}"]
        )

    def _phone(self, locale: str) -> str:
        random = self.people.random
        if random.random() < 0.5:
            return self.people.drawn(locale, "phone_number")
        groups = [self._digits(random.choice([2, 3, 3, 4])) for _ in range(random.choice([2, 3, 3, 4]))]
        lead = random.choice(["", "", "", "0", "+", "(0)"])
        return lead + random.choice([" ", "-", ".", " "]).join(groups)

    def _email(self, locale: str) -> str:
        name = re.sub(r"\W", "", self.people.first(locale).lower())
        return f"{name}{self._number(locale)[:2]}@{self.people.random.choice(['gmail.com', 'example.org', 'web.de'])}"

    def _date(self, _: str) -> str:
        random = self.people.random
        year, month, day = random.randint(1950, 2026), random.randint(1, 12), random.randint(1, 28)
        ways = (
            f"{year}-{month:02}-{day:02}",
            f"{day}.{month}.{year}",
            f"{month}/{day}/{year}",
            str(year),
            f"{day} {MONTHS[month - 1]} {year}",
            f"{MONTHS[month - 1]} {day}, {year}",
        )
        return random.choice(ways)


def templates() -> list[str]:
    """The templates of this folder."""
    return [line.replace("\\n", "\n") for line in TEMPLATES.read_text().splitlines() if line]


def generated(filler: Filler, count: int, listed: Sequence[str]) -> Iterator[Tagged]:
    """`count` texts, some of them of several templates in a row."""
    random = filler.people.random
    for number in range(count):
        made = filler.filled(listed[number % len(listed)])
        if random.random() < 0.15:
            more, gap = filler.filled(random.choice(listed)), random.choice([" ", "\n", "\n\n"])
            shift = len(made.text) + len(gap)
            shifted = tuple((start + shift, end + shift, kind) for start, end, kind in more.spans)
            made = Tagged(made.text + gap + more.text, made.spans + shifted)
        yield recased(made, random.random())


def recased(made: Tagged, chance: float) -> Tagged:
    """The text as people type it: one in six in lower case, one in forty in capitals."""
    changed = made.text.lower() if chance < 0.16 else made.text.upper() if chance > 0.975 else made.text
    return made._replace(text=changed) if len(changed) == len(made.text) else made
