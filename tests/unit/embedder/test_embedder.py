"""Embeddings of prompts and responses."""

import numpy as np
import pytest

from schemas.ids import embedding_id
from schemas.messages import ChatMessage, Embedding
from services.embedder.embedder import embeddings
from tests.support.messages import a_call
from tests.support.models import an_encoder


@pytest.fixture(scope="module")
def encoder():
    return an_encoder()


def test_prompt_and_response_each_have_one(encoder):
    call = a_call(prompt="Why is the sky blue?", response="Because it scatters light.", session_id="s", synthetic=True)
    prompt, response = embeddings([call], encoder)
    assert (prompt.field, response.field) == ("prompt", "response")
    assert prompt.embedding_id == embedding_id(call.call_id, "prompt", encoder.name, encoder.version)
    assert (prompt.session_id, prompt.synthetic, prompt.dimension) == ("s", True, 384)
    assert Embedding.decode(prompt.encode()) == prompt


def test_the_vector_is_that_of_the_text_in_little_endian_floats(encoder):
    calls = [a_call(prompt=f"question {number}", response=None) for number in range(20)]
    found = np.stack([np.frombuffer(each.vector, "<f4") for each in embeddings(calls, encoder)])
    assert (found == encoder.encode([call.prompt for call in calls])).all()
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("prompt", "response"), [(None, None), ("", " \n")])
def test_what_is_absent_or_blank_has_none(encoder, prompt, response):
    assert not list(embeddings([a_call(prompt=prompt, response=response)], encoder))


def test_the_last_user_turn_stands_for_the_prompt(encoder):
    turns = (ChatMessage(role="user", content="one"), ChatMessage(role="user", content="two"))
    [found] = embeddings([a_call(prompt=None, response=None, messages=turns)], encoder)
    assert np.frombuffer(found.vector, "<f4") == pytest.approx(encoder.encode(["two"])[0])
