"""Personal data in prompts and responses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import phonenumbers

from services.guard.guard.birth import births
from services.guard.guard.contact import emails, other_number, phones
from services.guard.guard.found import Found, settled
from services.guard.guard.national_id import national_ids, social_security
from services.guard.guard.network import addresses
from services.guard.guard.payment import accounts, cards
from services.guard.guard.tagger import Tagger
from services.guard.guard.text_scorer import TextScorer
from services.shared.scoring import Metric

PROMPT = Metric("prompt_pii", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
RESPONSE = Metric("response_pii", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
RULES = "pii.4"
# Where two overlap the first wins: check digits are surer than shapes, and shapes than words.
KINDS = ("EMAIL", "IBAN", "CREDIT_CARD", "SSN", "NATIONAL_ID", "IP", "DATE_OF_BIRTH", "PHONE", "ADDRESS", "PERSON")
_FINDERS = (emails, accounts, cards, social_security, national_ids, addresses, births, phones)


def personal_data(text: str, tagger: Tagger) -> list[Found]:
    """The spans, in the order of the text, none over another."""
    found = [each for find in _FINDERS for each in find(text)]
    tagged = [
        each for each in tagger.tag(text) if not (each.kind == "PHONE" and other_number(text, each.start, each.end))
    ]
    return settled([*found, *tagged], KINDS)


class Finder(Protocol):
    """A way to look for personal data."""

    @property
    def version(self) -> str:
        """Changes with what it finds."""

    def find(self, text: str) -> Sequence[Found]:
        """The spans, in the order of the text, none over another."""


@dataclass(frozen=True)
class BuiltIn:
    """By check digits, context and a trained tagger."""

    tagger: Tagger

    @property
    def version(self) -> str:
        """The tagger's weights and the plans of telephone numbers."""
        return f"{self.tagger.weights.version}-phonenumbers.{phonenumbers.__version__}"

    def find(self, text: str) -> Sequence[Found]:
        """See `personal_data`."""
        return personal_data(text, self.tagger)


def scorer(finder: Finder, counted: Iterable[str] = KINDS) -> TextScorer:
    """Of `prompt_pii` and `response_pii`; kinds that are not `counted` are evidence and no risk."""
    named = frozenset(counted)
    rules = RULES if named == set(KINDS) else f"{RULES}.{'.'.join(sorted(named)).lower()}"
    return TextScorer(finder.find, f"{rules}-{finder.version}", (PROMPT, RESPONSE), named)
