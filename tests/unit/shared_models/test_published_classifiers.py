"""Classifiers as they are published: converted and run as transformers runs them."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

from services.shared import classifier_store
from services.shared.classifier import Classifier, ClassifierOptions, Pair, probabilities
from services.shared.model_store import ModelMissingError
from services.shared.torch_classifier import ForeignModelError, against_others
from tests.support.published_models import published

# Of PyTorch 2.13: transformers scripts parts of DeBERTa when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

NLI = ("entailment", "neutral", "contradiction")
FAMILIES = ("bert", "roberta", "deberta", "modernbert")
TEXTS = [
    "word good river",
    "bad",
    "A fine word, a bad river." * 1,
    Pair("good river", "bad word word"),
    Pair("a", "b c"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("published")


def made(place, family, kind, labels):
    """A published classifier, made once."""
    folder = place / f"{family}-{kind}"
    return folder if folder.exists() else published(folder, family, kind, labels)


def loaded(folder, **given):
    models = folder.parent / "models"
    classifier_store.convert(str(folder), None, models)
    return Classifier.load(ClassifierOptions(model=str(folder), models=models, device="cpu", **given))


def by_transformers(folder, auto, content):
    """Logits of one text or pair, and the characters of its last part's tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = auto.from_pretrained(folder).eval()
    given = [content] if isinstance(content, str) else list(content)
    encoded = tokenizer(*given, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    if model.config.model_type != "bert":
        encoded.pop("token_type_ids", None)
    with torch.inference_mode():
        logits = model(**encoded).logits[0].numpy()
    mine = [at for at, part in enumerate(encoded.sequence_ids(0)) if part == len(given) - 1]
    return logits, mine, [offsets[at] for at in mine]


def tolerance(classifier):
    return {"fp32": 1e-4, "bf16": 4e-2}[classifier.engine.precision]  # against fp32 in torch


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_that_exclude_each_other_have_their_softmax(place, family):
    folder = made(place, family, "Sequence", NLI)
    classifier = loaded(folder)
    found = probabilities(classifier.logits(TEXTS), classifier.heads)
    logits = [by_transformers(folder, AutoModelForSequenceClassification, text)[0] for text in TEXTS]
    expected = torch.softmax(torch.from_numpy(np.stack(logits)), -1).numpy()
    assert [head.name for head in classifier.heads] == list(NLI)
    assert found == pytest.approx(expected, abs=tolerance(classifier))


@pytest.mark.parametrize(("labels", "settings"), [
    (("toxicity", "threat", "insult"), {"problem_type": "multi_label_classification"}), (("consistent",), {}),
])  # fmt: skip
def test_labels_that_stand_alone_have_their_sigmoid(tmp_path, labels, settings):
    folder = published(tmp_path / "roberta", "roberta", "Sequence", labels, **settings)
    classifier = loaded(folder)
    found = probabilities(classifier.logits(TEXTS), classifier.heads)
    logits = [by_transformers(folder, AutoModelForSequenceClassification, text)[0] for text in TEXTS]
    assert found == pytest.approx(1 / (1 + np.exp(-np.stack(logits))), abs=tolerance(classifier))


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_have_the_labels_and_characters_that_transformers_gives_them(place, family):
    folder = made(place, family, "Token", ("supported", "hallucinated"))
    classifier = loaded(folder)
    for text, found in zip(TEXTS, classifier.token_logits(TEXTS), strict=True):
        logits, mine, offsets = by_transformers(folder, AutoModelForTokenClassification, text)
        expected = torch.softmax(torch.from_numpy(logits[mine]), -1).numpy()
        assert found.spans.tolist() == [list(offset) for offset in offsets]
        assert probabilities(found.logits, classifier.heads) == pytest.approx(expected, abs=tolerance(classifier))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_longest_window_is_taken_and_a_longer_text_cut(place, family):
    classifier = loaded(made(place, family, "Sequence", NLI), batch_tokens=200, cache_entries=0)
    texts = ["word " * 45, "word " * 46, "word " * 500, "a", *TEXTS]
    assert np.isfinite(classifier.logits(texts)).all()
    alone = np.concatenate([classifier.logits([text]) for text in texts])
    assert probabilities(classifier.logits(texts), classifier.heads) == pytest.approx(
        probabilities(alone, classifier.heads), abs={"fp32": 1e-4, "bf16": 2e-2}[classifier.engine.precision]
    )


def test_log_odds_against_the_others_are_those_of_the_softmax():
    logits = torch.tensor([[2.0, -1.0, 0.5], [30.0, -30.0, 0.0]])
    assert torch.allclose(torch.sigmoid(against_others(logits)), torch.softmax(logits, -1), atol=1e-6)


def test_a_pickle_is_refused(tmp_path):
    folder = published(tmp_path / "bert", "bert", "Sequence", ("yes", "no"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelMissingError, match=r"no model\.safetensors"):
        classifier_store.convert(str(folder), None, tmp_path / "models")


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    folder = published(tmp_path / "bert", "bert", "Sequence", ("yes", "no"))
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ForeignModelError, match="no classifier that can be run here"):
        classifier_store.convert(str(folder), None, tmp_path / "models")
    assert not (tmp_path / "ran").exists()


def test_a_model_for_something_else_is_refused(tmp_path):
    folder = published(tmp_path / "bert", "bert", "Sequence", ("yes", "no"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForMaskedLM"]}))
    with pytest.raises(ForeignModelError, match="BertForMaskedLM, not one for classification"):
        classifier_store.convert(str(folder), None, tmp_path / "models")


def test_a_classifier_that_is_not_converted_names_the_remedy(tmp_path):
    with pytest.raises(ModelMissingError, match=r"`python -m services\.shared\.classifier_store hf:a/b`"):
        Classifier.load(ClassifierOptions(model="hf:a/b", models=tmp_path))
    with pytest.raises(ModelMissingError, match="name an adapter"):
        Classifier.load(ClassifierOptions(models=tmp_path))
