"""Names, places and numbers of many countries, to fill templates with; from Faker's word lists."""

import re
from random import Random

from faker import Faker
from faker.providers.date_time import Provider as Times

LATIN = (
    "en_US", "en_GB", "en_IN", "en_NZ", "en_IE", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT",
    "nl_NL", "sv_SE", "no_NO", "da_DK", "fi_FI", "pl_PL", "cs_CZ", "sk_SK", "hu_HU", "ro_RO", "hr_HR", "sl_SI", "tr_TR",
    "et_EE", "lt_LT", "id_ID", "vi_VN", "es_CO", "fr_CH", "nl_BE", "yo_NG", "zu_ZA", "tw_GH",
)  # fmt: skip
OTHER = ("ru_RU", "uk_UA", "el_GR", "bg_BG", "ja_JP", "zh_CN", "ko_KR", "ar_SA", "he_IL", "hi_IN", "th_TH", "ka_GE")
TITLES = ("Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Ms", "Dr", "Prof.", "Professor", "Miss", "Sir", "Madam")
STREETS = (
    "Street", "St", "St.", "Avenue", "Ave", "Ave.", "Road", "Rd", "Rd.", "Lane", "Ln", "Drive", "Dr", "Blvd",
    "Boulevard", "Court", "Ct", "Place", "Way", "Crescent", "Close", "Terrace", "Square", "Highway", "Parkway", "Row",
    "Gardens",
)  # fmt: skip
PARTICLES = ("van", "van der", "de", "de la", "von", "di", "da", "bin", "al", "El", "Le", "Mac", "dos", "ter")
UNITS = ("Apt.", "Apt", "Suite", "Unit", "Flat", "#", "Floor", "Room", "Ste")
STATES = ("AL", "CA", "CO", "FL", "GA", "IL", "MA", "NC", "NJ", "NSW", "NY", "OH", "ON", "TX", "VIC", "WA")
POOL, CAPITALS = 150, 40
# Faker makes English cities up; these are real, and some are given names, too.
CITIES = sorted({
    *(country.capital for country in Times.countries),
    *(zone.rpartition("/")[2].replace("_", " ") for country in Times.countries for zone in country.timezones),
})  # fmt: skip


class People:
    """Values of each slot, drawn from the word lists of one locale at a time."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - training data
        Faker.seed(seed)
        self._pools = {locale: self._pool(locale) for locale in (*LATIN, *OTHER)}

    def _pool(self, locale: str) -> dict[str, list[str]]:
        fake = Faker(locale)
        people = fake.provider("person")
        listed = ("first_names", "first_names_male", "first_names_female")
        first = [str(name) for part in listed for name in getattr(people, part, ())]
        last = [str(name) for name in getattr(people, "last_names", ())]
        pool = {
            "first": sorted(set(first or (str(fake.first_name()) for _ in range(300)))),
            "last": sorted(set(last or (str(fake.last_name()) for _ in range(300)))),
        }
        for name in (
            "address",
            "street_address",
            "street_name",
            "city",
            "country",
            "company",
            "job",
            "phone_number",
            "postcode",
        ):
            pool[name] = [str(getattr(fake, name)()) for _ in range(POOL)]
        pool["city"] += self.random.sample(CITIES, CAPITALS)
        return pool

    def locale(self, *, latin: float = 0.9) -> str:
        """A locale; one of the first is a third of all."""
        if self.random.random() < latin:
            return self.random.choice(LATIN[:3] if self.random.random() < 0.33 else LATIN)
        return self.random.choice(OTHER)

    def drawn(self, locale: str, slot: str) -> str:
        """A value of one of the word lists."""
        return self.random.choice(self._pools[locale][slot])

    def first(self, locale: str) -> str:
        """A given name; one in ten is made of two others', so that unknown ones are learnt to be read."""
        name = self.drawn(locale, "first")
        return self._blended(name, self.drawn(locale, "first"))

    def last(self, locale: str) -> str:
        """A family name."""
        name = self._blended(self.drawn(locale, "last"), self.drawn(locale, "last"))
        return f"{name}-{self.drawn(locale, 'last')}" if self.random.random() < 0.04 else name

    def _blended(self, one: str, other: str) -> str:
        if self.random.random() > 0.1 or min(len(one), len(other)) < 5:
            return one
        return one[: len(one) // 2] + other[len(other) // 2 :].lower()

    def name(self, locale: str) -> str:
        """A whole name, in one of the ways that names are written."""
        first, last = self.first(locale), self.last(locale)
        if locale in ("ja_JP", "zh_CN", "ko_KR"):
            return last + self.random.choice(["", " "]) + first
        ways = (
            (0.66, f"{first} {last}"),
            (0.08, f"{first} {first[0]}. {last}"),
            (0.05, f"{first} {self.random.choice('ABCDEFGHJKLMNPRSTW')} {last}"),
            (0.03, f"{last}, {first}"),
            (0.05, f"{first[0]}. {last}"),
            (0.04, f"{first} {self.first(locale)} {last}"),
            (0.03, f"{last} {first}"),
            (0.04, f"{first} {last} {self.last(locale)}"),
            (0.03, f"{first} {self.random.choice(PARTICLES)} {last}"),
            (0.02, f"{first} {self.random.choice(['O', 'D', 'M'])}'{last}"),
            (0.02, f"{first}-{self.first(locale)} {last}"),
        )
        return self.random.choices([way for _, way in ways], [weight for weight, _ in ways])[0]

    def street(self, locale: str) -> str:
        """A street with its number."""
        chance = self.random.random()
        if chance < 0.4 and locale.startswith("en"):
            return f"{self.random.randint(1, 9999)} {self.word(locale)} {self.random.choice(STREETS)}"
        if chance < 0.55:
            return f"{self.random.randint(1, 999)} {self.drawn(locale, 'street_name')}"
        if chance < 0.62:
            return self.drawn(locale, "street_name")
        return self.drawn(locale, "street_address").replace("\n", ", ")

    def _unusual(self, locale: str) -> str:
        """Corners, boxes and armed forces."""
        random = self.random
        corner = f"{self.drawn(locale, 'street_name')} and {self.drawn(locale, 'street_name')}"
        box, post = (
            random.randint(1, 9999),
            f"{random.choice(['APO', 'FPO', 'DPO'])} {random.choice(['AE', 'AA', 'AP'])}",
        )
        ways = (
            f"the corner of {corner}",
            f"corner of {corner}",
            f"P.O. Box {box}",
            f"PO Box {box}, {self.drawn(locale, 'city')}",
            f"PSC {box}, Box {random.randint(1, 9999)}\n{post} {random.randint(10000, 99999)}",
            f"USS {self.drawn('en_US', 'last')}\n{post} {random.randint(10000, 99999)}",
            f"Unit {box} Box {random.randint(1, 9999)}, {post} {random.randint(10000, 99999)}",
        )
        return random.choice(ways)

    def lists(self) -> dict[str, set[str]]:
        """Words that are given names, family names or places somewhere."""

        def words(*slots: str) -> set[str]:
            values = (value for pool in self._pools.values() for slot in slots for value in pool[slot])
            return {word for value in values for word in re.findall(r"[^\W\d_]{2,}", value)}

        return {"first": words("first"), "last": words("last"), "place": words("city", "country")}

    def word(self, locale: str) -> str:
        """What streets are named after."""
        trees = (
            "Oak",
            "Maple",
            "Main",
            "High",
            "Church",
            "Station",
            "Park",
            "Mill",
            "King",
            "Queen",
            "2nd",
            "5th",
            "Elm",
            "Lake",
        )
        return self.random.choice(trees) if self.random.random() < 0.4 else self.drawn(locale, "last")

    def address(self, locale: str) -> str:
        """A whole postal address, in one of the ways that they are written."""
        random, chance = self.random, self.random.random()
        if chance < 0.35:
            given = self.drawn(locale, "address")
            return given if random.random() < 0.4 else given.replace("\n", ", ")
        if chance < 0.45:
            return self.street(locale)
        if chance < 0.53:
            return self._unusual(locale)
        parts = [self.street(locale)]
        if random.random() < 0.15:
            parts = [f"{random.randint(1, 99)} {parts[0]}"]
        if random.random() < 0.45:
            parts.append(f"{random.choice(UNITS)} {random.randint(1, 999)}")
        postcode = self.drawn(locale, "postcode") if random.random() < 0.8 else ""
        city = self.drawn(locale, "city")
        if random.random() < 0.15:
            city = city.upper()
        if random.random() < 0.2:
            city = f"{city}, {random.choice(STATES)}"
        parts.append(f"{postcode} {city}".strip() if random.random() < 0.4 else f"{city} {postcode}".strip())
        if random.random() < 0.35:
            parts.append(self.drawn("en_US" if random.random() < 0.5 else locale, "country"))
        return random.choice([", ", ", ", "\n", " ", ",\n", "\n "]).join(parts)
