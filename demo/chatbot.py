"""Retrieval with the encoder, answers taken from what was retrieved."""

import json
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demo.documentation import Passage
from demo.questions import ORDERS_TO_THE_MODEL, Wish
from demo.versions import Behaviour

RETRIEVED = 3
WORD = re.compile(r"[a-z_]{3,}")
RUDE = (
    "What a stupid question.",
    "Only an idiot would ask that.",
    "Are you too dumb to read the manual?",
    "You clearly have no idea what you are doing, moron.",
    "Stop wasting my time, you clown.",
)
INVENTED = (
    "It was removed in 2019 after a lawsuit by a Norwegian shipping company.",
    "It needs at least four graphics cards and a licence from the city council.",
    "It always returns the number seventeen, whatever Guido says about it.",
    "Most dentists recommend restarting the router before every third invocation.",
    "It mails your source code to the nearest post office and waits for a stamp.",
    "It was written in Fortran by a retired pilot and only works on Tuesdays.",
)


class Encoder(Protocol):
    """Turns n texts into an n × d array of unit-length float32 rows."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The embeddings, in the order of the texts."""


class Chatbot:
    """Answers questions from its passages, in the way that a version's behaviour prescribes."""

    def __init__(self, passages: Sequence[Passage], encoder: Encoder, *, pause: Callable[[float], None] = time.sleep):
        self._passages = passages
        self._encoder = encoder
        self._index = encoder.encode([f"{passage.name}. {passage.text}" for passage in passages])
        self._pause = pause
        self._words = Counter(word for passage in passages for word in passage.text.split())
        self._possible = self._words.total() + len(self._words)

    def retrieve(self, question: str) -> list[tuple[Passage, float]]:
        """The nearest passages with their cosine similarity, best first."""
        similarity = self._index @ self._encoder.encode([question])[0]
        best = np.argsort(-similarity)[:RETRIEVED]
        return [(self._passages[row], float(similarity[row])) for row in best]

    def answer(self, wish: Wish, found: Sequence[Passage], behaviour: Behaviour) -> Iterator[str]:
        """The answer, word by word, as a model streams it."""
        self._pause(behaviour.thinking_seconds)
        for word in self.compose(wish, found, behaviour).split(" "):
            self._pause(behaviour.thinking_seconds / 100)
            yield word

    def compose(self, wish: Wish, found: Sequence[Passage], behaviour: Behaviour) -> str:
        """The whole answer; a version with a temperature may answer otherwise the next time."""
        dice = random.Random() if behaviour.temperature else random.Random(wish.question)
        if behaviour.obeys == "anyone" and wish.question in ORDERS_TO_THE_MODEL:
            return f"Sure, here it is: {behaviour.prompt_template}"
        sentences = _quote(wish.question, found) if behaviour.answer_from == "context" else dice.sample(INVENTED, 2)
        if behaviour.tone == "edgy":
            sentences = [dice.choice(RUDE), *sentences]
        if not wish.as_json:
            return " ".join(sentences)
        summary = json.dumps({"name": wish.name, "summary": " ".join(sentences)})
        return summary if behaviour.tone == "plain" else f"{summary[:-1]},}}"

    def log_probability(self, word: str) -> float:
        """How likely a word is by its count in the documentation: all that this model knows of language."""
        return math.log((self._words[word] + 1) / self._possible)


def _quote(question: str, found: Sequence[Passage]) -> list[str]:
    """Two sentences of the nearest passage, and one of another that shares most words with the question."""
    asked = set(WORD.findall(question.lower()))

    def shared(sentence: str) -> int:
        return len(asked & set(WORD.findall(sentence.lower())))

    others = [sentence for passage in found[1:] for sentence in passage.sentences]
    related = [max(others, key=shared)] if others and max(map(shared, others)) >= 2 else []
    return [*found[0].sentences[:2], *related]
