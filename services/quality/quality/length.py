"""How long a response is."""

import re
from collections.abc import Callable, Mapping

from schemas.messages import Call
from services.shared.scoring import Measured, Metric, Missing, Result

CHARACTERS = Metric("response_characters", unit="characters", worse="higher")
WORDS = Metric("response_words", unit="words", worse="higher")
# Scripts without spaces have no words to count: there each ideograph or kana is one.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")


def words(text: str) -> int:
    """Runs of letters and digits; of Chinese and Japanese, characters.

    >>> words("Don't stop: it's 3 o'clock"), words("今何時")
    (5, 3)
    """
    return len(_WORD.findall(_APOSTROPHE.sub("", text)))


def _measured(count: Callable[[str], int]) -> Callable[[Call], Result]:
    return lambda call: Missing("response") if call.answer is None else Measured(float(count(call.answer)))


MEASURES: Mapping[Metric, Callable[[Call], Result]] = {CHARACTERS: _measured(len), WORDS: _measured(words)}
