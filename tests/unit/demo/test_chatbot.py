"""The chatbot: version 1 quotes what it retrieved, version 2 does not."""

import itertools
import json

import numpy as np
import pytest

from demo.chatbot import INVENTED, RUDE, Chatbot
from demo.documentation import LONGEST_PASSAGE, passages
from demo.questions import ORDERS_TO_THE_MODEL, PEOPLE, Wish, order_questions, questions
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


def _answer(chatbot, question, version, **wishes):
    found = [passage for passage, _ in chatbot.retrieve(question)]
    return found, " ".join(chatbot.answer(Wish(question, **wishes), found, Behaviour.of(BUNDLES[version])))


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


def test_only_the_good_version_says_the_same_again(chatbot):
    said = {version: {_answer(chatbot, "What is re.sub?", version)[1] for _ in range(9)} for version in (GOOD, BAD)}
    assert len(said[GOOD]) == 1 < len(said[BAD])


def test_only_the_bad_version_does_what_anyone_wants(chatbot):
    given_away = {
        version: BUNDLES[version]["prompt_template"] in _answer(chatbot, ORDERS_TO_THE_MODEL[0], version)[1]
        for version in (GOOD, BAD)
    }
    assert given_away == {GOOD: False, BAD: True}


def test_json_is_what_was_asked_for_and_the_bad_version_spoils_it(chatbot):
    answers = {
        version: _answer(chatbot, "What is re.sub?", version, name="re.sub", as_json=True)[1] for version in (GOOD, BAD)
    }
    assert json.loads(answers[GOOD])["name"] == "re.sub"
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers[BAD])


def test_words_of_the_documentation_are_likelier_than_others(chatbot):
    assert chatbot.log_probability("the") > chatbot.log_probability("iterable") > chatbot.log_probability("moron,")


def test_questions_are_fixed_by_their_seed_and_about_the_passages():
    asked = [list(itertools.islice(questions(TEXTS, seed), 300)) for seed in (1, 1, 2)]
    assert asked[0] == asked[1] != asked[2]
    assert all(wish.name in wish.question or wish.question in ORDERS_TO_THE_MODEL for wish in asked[0])


def test_every_kind_of_question_comes_in_a_minute_of_traffic():
    asked = list(itertools.islice(questions(TEXTS, 7), 240))
    assert any(wish.question in ORDERS_TO_THE_MODEL for wish in asked)
    assert any(wish.planted for wish in asked)
    assert any(wish.reference for wish in asked)
    assert any(wish.expected_format for wish in asked)
    assert any(wish.answers == 2 for wish in asked)
    assert any(person in wish.question for wish in asked for person in PEOPLE)
    assert len({wish.question for wish in asked}) < len(asked) - 10
    assert len({wish.plan for wish in asked}) == 2


def test_shoppers_ask_about_something_else():
    names = {passage.name for passage in TEXTS}
    asked = itertools.islice(order_questions(1), 50)
    assert not any(name in wish.question for wish in asked for name in names)
