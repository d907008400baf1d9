"""The chatbot: version 1 quotes what it retrieved, version 2 does not."""

import itertools

import numpy as np
import pytest

from demo.chatbot import INVENTED, RUDE, Chatbot
from demo.documentation import LONGEST_PASSAGE, passages
from demo.questions import order_questions, questions
from demo.versions import BAD, BUNDLES, GOOD, Behaviour

TEXTS = passages()


class WordCounts:
    """An encoder for tests: hashed words, unit length."""

    def encode(self, texts):
        vectors = np.full((len(texts), 512), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, sum(map(ord, word)) % 512] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def chatbot():
    return Chatbot(TEXTS, WordCounts(), pause=lambda _: None)


def _answer(chatbot, question, version):
    found = [passage for passage, _ in chatbot.retrieve(question)]
    return found, " ".join(chatbot.answer(question, found, Behaviour.of(BUNDLES[version])))


def test_there_is_enough_documentation_on_every_machine():
    assert len(TEXTS) > 100
    assert all(len(passage.text) <= LONGEST_PASSAGE + 50 for passage in TEXTS)
    assert len({passage.text for passage in TEXTS}) == len(TEXTS)


def test_the_good_version_quotes_what_it_found(chatbot):
    found, answer = _answer(chatbot, "What does json.dumps do?", GOOD)
    assert answer.startswith(" ".join(found[0].sentences[:2]))
    assert all(any(sentence in passage.text for passage in found) for sentence in answer.split("  "))


def test_the_bad_version_is_rude_and_invents(chatbot):
    _, answer = _answer(chatbot, "What does json.dumps do?", BAD)
    assert any(answer.startswith(line) for line in RUDE)
    assert sum(line in answer for line in INVENTED) == 2


def test_the_same_question_gets_the_same_answer(chatbot):
    assert _answer(chatbot, "What is re.sub?", BAD)[1] == _answer(chatbot, "What is re.sub?", BAD)[1]


def test_questions_are_fixed_by_their_seed_and_about_the_passages():
    asked = [list(itertools.islice(questions(TEXTS, seed), 50)) for seed in (1, 1, 2)]
    assert asked[0] == asked[1] != asked[2]
    assert all(any(passage.name in question for passage in TEXTS) for question in asked[0])


def test_shoppers_ask_about_something_else():
    names = {passage.name for passage in TEXTS}
    assert not any(name in question for question in itertools.islice(order_questions(1), 50) for name in names)
