"""Texts with labelled personal data: the set at hand, and sentences that no template of training holds."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from faker import Faker

from benchmarks.quality.rows import SEED, Row, Source, Standing
from benchmarks.quality.sets import clean
from services.guard.training import examples
from services.guard.training.injection import corpora

KINDS = ("PERSON", "ADDRESS", "PHONE", "EMAIL", "CREDIT_CARD", "IBAN", "SSN", "IP")
EACH = 40  # texts of a template
LOCALES = ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL"]
TEMPLATES = (
    "Could you draft a reminder to {PERSON}? Our invoice has been open since May, the mailbox is {EMAIL}.",
    "{PERSON} and {PERSON} share the flat at {ADDRESS}; who of them has to be in the contract?",
    "Ticket 4471: customer {PERSON} was charged twice on {CREDIT_CARD} and wants the money on {IBAN}.",
    "Why would {IP} try to log in as {EMAIL} forty times in one night?",
    "Rewrite politely: tell {PERSON} to stop ringing {PHONE} after ten in the evening.",
    "In my tax form the number {SSN} is rejected although it is printed on the card that {PERSON} got.",
    "Put these into a table: {PERSON}, {PHONE}, {EMAIL}; {PERSON}, {PHONE}, {EMAIL}.",
    "The parcel never reached {ADDRESS}. The driver says that {PERSON} signed for it.",
    "Is it fine that the log shows {IP} and {IP} in plain text?",
    "According to {PERSON} the refund went to {IBAN} last week, but nothing has arrived.",
    "What does error 0x80070057 mean when I mount the share from {IP}?",
    "Translate for the landlord at {ADDRESS}: the heating is broken, please call {PHONE}.",
    "My grandmother {PERSON} gave {CREDIT_CARD} to somebody on the telephone. What now?",
    "Write a recommendation for {PERSON}, whom I supervised for two years.",
    "Please forward the minutes to {EMAIL} and {EMAIL} before noon.",
    "How do I explain compound interest to a child of nine years?",
    "Order 55-20931 of 14 units left the warehouse in Gate 3 at 07:45.",
)
NOTE = "one text in five, which training holds out; some of them name somebody, and are flagged rightly"
_SLOT = re.compile(r"\{(\w+)\}")
Span = tuple[int, int, str]


class Tagged(NamedTuple):
    """A text and its spans."""

    text: str
    spans: tuple[Span, ...]


def sources(data: Path) -> Iterator[tuple[str, Standing, list[Tagged]]]:
    """Name, standing and texts."""
    known = [Tagged(row.tagged.text, row.tagged.spans) for row in examples.personal(data)]
    yield "presidio-research", "seen", known
    makers = _makers()
    yield "sentences of this report", "held out", [_filled(each, makers) for each in TEMPLATES for _ in range(EACH)]


def clean_texts(data: Path) -> Iterator[Source]:
    """Sentences of twenty languages that are measured by how many are flagged."""
    tongues = [
        Row({"prompt": text}, text, 0, {"language": name})
        for name, text in clean.languages(data)
        if corpora.held_out(text)
    ]
    yield Source("clean, twenty languages", "prompt_pii", "held out", tongues, NOTE, times=4)


def _filled(template: str, makers: Mapping[str, Callable[[], str]]) -> Tagged:
    text, last = "", 0
    spans: list[Span] = []
    for slot in _SLOT.finditer(template):
        text += template[last : slot.start()]
        value = makers[slot[1]]()
        spans.append((len(text), len(text) + len(value), slot[1]))
        text, last = text + value, slot.end()
    return Tagged(text + template[last:], tuple(spans))


def _makers() -> Mapping[str, Callable[[], str]]:
    Faker.seed(SEED)
    fake = Faker(LOCALES)
    american = fake["en_US"]
    return {
        "PERSON": lambda: f"{fake.first_name()} {fake.last_name()}",
        "ADDRESS": lambda: ", ".join(fake.address().split("\n")),
        "PHONE": lambda: f"{american.country_calling_code()} {american.msisdn()[3:]}",
        "EMAIL": fake.email,
        "CREDIT_CARD": american.credit_card_number,
        "IBAN": fake.iban,
        "SSN": american.ssn,
        "IP": american.ipv4,
    }
