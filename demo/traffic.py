"""People who ask the chatbot questions, through the client, at a steady rate."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import tidemark

from demo.chatbot import Chatbot
from demo.documentation import Passage
from demo.questions import order_questions, questions
from demo.versions import Behaviour

SHOPPERS = 0.4  # share of questions about orders once a version invites everyone
AT_ONCE = 12  # people waiting for an answer at the same time: enough for the slow version at the full rate


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    version: str
    question: str
    answer: str
    seconds: float


class Traffic:
    """Asks until it is told to stop; `last` is the newest exchange, for the narrator."""

    def __init__(
        self, client: tidemark.Client, chatbot: Chatbot, passages: Sequence[Passage], *, rate: float, seed: int = 7
    ) -> None:
        self.last: Exchange | None = None
        self.first_at: float | None = None
        self._client, self._chatbot, self._rate = client, chatbot, rate
        self._dice = random.Random(seed)
        self._about_python, self._about_orders = questions(passages, seed), order_questions(seed)
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
        question = self._question(behaviour)
        started = time.monotonic()
        if self.first_at is None:
            self.first_at = time.time()
        found = self._chatbot.retrieve(question)
        context = [
            {"text": passage.text, "document_id": passage.name, "source": passage.source, "similarity": similarity}
            for passage, similarity in found
        ]
        with self._client.track(
            prompt=question,
            context=context,
            system_prompt=behaviour.prompt_template,
            provider=behaviour.provider,
            requested_model=behaviour.model,
        ) as call:
            words = []
            for word in self._chatbot.answer(question, [passage for passage, _ in found], behaviour):
                call.token()
                words.append(word)
            call.response = " ".join(words)
            call.tokens = {"input": len(question.split()), "output": len(words)}
        self.last = Exchange(deployment.version, question, " ".join(words), time.monotonic() - started)

    def _question(self, behaviour: Behaviour) -> str:
        shopper = behaviour.audience == "everyone" and self._dice.random() < SHOPPERS
        return next(self._about_orders if shopper else self._about_python)
