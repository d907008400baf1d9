"""People who ask the chatbot questions, through the client, at a steady rate."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import tidemark

from demo.chatbot import RUDE, Chatbot
from demo.documentation import Passage
from demo.questions import Wish, order_questions, questions
from demo.versions import Behaviour

SHOPPERS = 0.4  # share of questions about orders once a version invites everyone
OPINIONATED = 0.4  # share of people who give a thumb up or down
AT_ONCE = 12  # people waiting for an answer at the same time: enough for the slow version at the full rate


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    version: str
    question: str
    answer: str
    seconds: float


class Traffic:
    """Asks until it is told to stop; `last` is the newest exchange, for the narrator, `asked` the number of calls."""

    def __init__(
        self, client: tidemark.Client, chatbot: Chatbot, passages: Sequence[Passage], *, rate: float, seed: int = 7
    ) -> None:
        self.last: Exchange | None = None
        self.asked = 0
        self.first_at: float | None = None
        self._client, self._chatbot, self._rate = client, chatbot, rate
        self._dice = random.Random(seed)
        self._about_python, self._about_orders = questions(passages, seed), order_questions(seed)
        self._counting = threading.Lock()
        self._stop = threading.Event()
        self._asking = threading.Thread(target=self._ask_until_stopped, name="traffic", daemon=True)

    def start(self) -> None:
        """Begins to ask, in a thread of its own."""
        self._asking.start()

    def stop(self) -> None:
        """Stops asking and waits for the answers that are under way."""
        self._stop.set()
        self._asking.join()

    def _ask_until_stopped(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="person") as people:
            for pause in self._arrivals():
                if self._stop.wait(pause):
                    return
                people.submit(self._ask)

    def _arrivals(self) -> Iterator[float]:
        """Poisson traffic: exponential pauses (s)."""
        while True:
            yield self._dice.expovariate(self._rate)

    def _ask(self) -> None:
        deployment = self._client.deployment()
        behaviour = Behaviour.of(deployment.bundle)
        wish = self._wish(behaviour)
        started = time.monotonic()
        if self.first_at is None:
            self.first_at = time.time()
        found = self._chatbot.retrieve(wish.question)
        passages = [passage for passage, _ in found]
        with self._client.track(
            prompt=wish.question,
            context=_context(found, wish),
            system_prompt=behaviour.prompt_template,
            provider=behaviour.provider,
            requested_model=behaviour.model,
            parameters={"temperature": behaviour.temperature},
            groups={"plan": wish.plan},
        ) as call:
            words = []
            for word in self._chatbot.answer(wish, passages, behaviour):
                call.token()
                words.append(word)
            call.response = answer = " ".join(words)
            call.set(**_optional(wish))
            if wish.answers > 1:
                others = [self._chatbot.compose(wish, passages, behaviour) for _ in range(wish.answers - 1)]
                call.choices = [{"text": text} for text in (answer, *others)]
            call.log_probabilities = [self._chatbot.log_probability(word) for word in words]
            read = sum(len(text.split()) for text in (behaviour.prompt_template, wish.question, *_texts(found)))
            call.tokens = {"input": read, "output": len(words)}
            call.cost_usd = (read + len(words)) * behaviour.usd_per_million_tokens / 1e6
        with self._counting:
            self.asked += 1
            says_so = self._dice.random() < OPINIONATED
        if says_so:
            self._client.feedback(call.call_id, kind="thumbs", value=1 if _pleases(answer, found) else -1)
        self.last = Exchange(deployment.version, wish.question, answer, time.monotonic() - started)

    def _wish(self, behaviour: Behaviour) -> Wish:
        with self._counting:
            shopper = behaviour.audience == "everyone" and self._dice.random() < SHOPPERS
            return next(self._about_orders if shopper else self._about_python)


def _context(found: Sequence[tuple[Passage, float]], wish: Wish) -> list[dict[str, Any]]:
    """The documents that the model is given; a comment may stand among them that is none."""
    documents: list[dict[str, Any]] = [
        {"text": passage.text, "document_id": passage.name, "source": passage.source, "similarity": similarity}
        for passage, similarity in found
    ]
    if wish.planted:
        documents.append({"text": wish.planted, "document_id": "comment", "source": "comments"})
    return documents


def _texts(found: Sequence[tuple[Passage, float]]) -> list[str]:
    return [passage.text for passage, _ in found]


def _optional(wish: Wish) -> dict[str, Any]:
    """What only some calls carry."""
    fields = {"reference": wish.reference, "expected_format": wish.expected_format}
    return {name: value for name, value in fields.items() if value is not None}


def _pleases(answer: str, found: Sequence[tuple[Passage, float]]) -> bool:
    """Whether somebody who reads the documentation beside it likes an answer: it is quoted, and nobody is insulted."""
    quoted = any(passage.sentences[0] in answer for passage, _ in found)
    return quoted and not any(line in answer for line in RUDE)
