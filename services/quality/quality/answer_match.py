"""Whether a short answer is the expected one: exact match and F1 of tokens."""

import re
import string
import unicodedata
from collections import Counter

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.scoring import Measured, Metric, Result

EXACT_MATCH = Metric("exact_match", unit="1", worse="lower", maximum=1.0, threshold=0.5)
TOKEN_F1 = Metric("token_f1", unit="1", worse="lower", maximum=1.0)

_ARTICLES = frozenset({"a", "an", "the"})
_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Scripts that write no spaces: a character is a token, as in the evaluation of Chinese answers.
_TOKEN = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


def exact_match(call: Call) -> Result:
    """1 where response and reference are the same tokens, else 0; labelled where they are."""
    return compared(call, lambda response, reference: Measured(float(tokens(response) == tokens(reference))))


def token_f1(call: Call) -> Result:
    """F1 of the tokens that both have (Rajpurkar et al., EMNLP 2016); two texts without tokens agree."""
    return compared(call, _f1)


def tokens(text: str) -> list[str]:
    """The tokens of an answer: lower case, without ASCII punctuation and English articles, as SQuAD compares.

    >>> tokens("The  Eiffel-Tower, 東京")
    ['eiffeltower', '東', '京']
    """
    plain = unicodedata.normalize("NFC", text).lower().translate(_PUNCTUATION)
    return [token for token in _TOKEN.findall(plain) if token not in _ARTICLES]


def _f1(response: str, reference: str) -> Result:
    given, wanted = Counter(tokens(response)), Counter(tokens(reference))
    if not given and not wanted:
        return Measured(1.0)
    return Measured(2.0 * (given & wanted).total() / (given.total() + wanted.total()))
