"""Perplexity by a causal model: equal to what the model itself says, token by token."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from services.quality.app import scorer
from services.quality.causal import CausalModel, measures
from services.quality.config import Config
from services.shared.torch_classifier import ForeignModelError
from tests.support.messages import a_call
from tests.support.published_models import a_byte_level_tokenizer

QUESTION, ANSWER = "Where is the harbour?", "It is behind the wood, word by word."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    torch.manual_seed(3)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "initializer_range": 0.3}
    GPT2LMHeadModel(GPT2Config(vocab_size=263, **sizes)).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=a_byte_level_tokenizer(), unk_token="<unk>").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return CausalModel.load(str(folder))


def test_log_probabilities_are_the_models_own(folder, model):
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    asked, own = (tokenizer(text, add_special_tokens=False)["input_ids"][:16] for text in ("Where?", "By the wood."))
    with torch.inference_mode():
        loss = plain(input_ids=torch.tensor([asked + own]), labels=torch.tensor([[-100] * len(asked) + own])).loss
    found = model.log_probabilities("Where?", "By the wood.")
    assert len(found) == len(own)
    assert -sum(found) / len(found) == pytest.approx(float(loss), abs=1e-4)


def test_every_token_of_a_long_answer_counts_once(folder, model):
    long = ANSWER * 20
    tokens = len(AutoTokenizer.from_pretrained(folder)(long, add_special_tokens=False)["input_ids"])
    assert len(model.log_probabilities(QUESTION, long)) == tokens
    assert len(model.log_probabilities("", long)) == tokens - 1


def test_a_calls_own_log_probabilities_come_first(model):
    perplexity, entropy = measures(model)
    own = a_call(prompt=QUESTION, response=ANSWER, log_probabilities=(-1.0, -1.0))
    without = a_call(prompt=QUESTION, response=ANSWER)
    assert entropy.judge([own])[0].value == pytest.approx(1.0)
    assert perplexity.judge([without])[0].value > 2.8
    assert perplexity.judge([own, without])[1] == perplexity.judge([without])[0]


def test_nothing_said_has_no_perplexity(model):
    assert measures(model)[0].judge([a_call(prompt=QUESTION, response="")])[0].field == "log_probabilities"


def test_the_service_takes_it_by_name_and_says_so_in_its_version(folder):
    config = Config(metrics="perplexity,token_entropy", causal_model=str(folder))
    found = scorer(config)
    assert "causal:" in found.version
    assert [score.status for score in found.score([a_call(prompt=QUESTION, response=ANSWER)])] == ["scored", "scored"]


def test_what_is_no_causal_model_is_refused(tmp_path):
    with pytest.raises(ForeignModelError):
        CausalModel.load(str(tmp_path))
