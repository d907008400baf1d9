"""A classifier of small random weights: adapter, conversion and forward pass."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from services.shared import adapter as adapters
from services.shared import classifier_store
from services.shared.adapter import Head
from services.shared.classifier import Classifier, ClassifierOptions, Pair, probabilities
from services.shared.errors import Unusable
from services.shared.model_store import ModelMissingError, WrongEncoderError
from tests.support.tiny_models import a_tokenizer, an_adapter_file, an_encoder_folder

TEXTS = [f"{'word good bad river '[: number % 19]}{'a ' * (number % 37)}" for number in range(60)]
HEADS = (Head("highest"), Head("lowest", over="min"), Head("mean", over="mean"))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An encoder, a sequence and a token adapter, both converted."""
    folder = tmp_path_factory.mktemp("place")
    encoder = an_encoder_folder(folder / "encoder")
    sha256 = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    for name, kind, alike in (("sequence", "sequence", False), ("token", "token", False), ("alike", "token", True)):
        path = an_adapter_file(folder / f"{name}.safetensors", sha256, kind=kind, heads=HEADS, alike=alike)
        classifier_store.convert(str(encoder), path, folder / "models")
    return folder


def options(place, kind, **given):
    return ClassifierOptions(
        model=str(place / "encoder"),
        adapter=place / f"{kind}.safetensors",
        models=place / "models",
        device="cpu",
        **given,
    )


def in_torch(place, kind, *texts):
    """Logits of one text or pair by the merged module, tokenised by the tokenizer itself."""
    encoding = a_tokenizer().encode(*texts)
    module = classifier_store.module(str(place / "encoder"), place / f"{kind}.safetensors")
    with torch.inference_mode():
        inputs = (encoding.ids, encoding.attention_mask, encoding.type_ids)
        return module(*(torch.tensor([values]) for values in inputs))[0].numpy()


def tolerance(classifier):
    return {"fp32": 1e-4, "bf16": 2e-2}[classifier.engine.precision]


def test_logits_are_those_of_the_merged_encoder_in_torch(place):
    classifier = Classifier.load(options(place, "sequence"))
    found = probabilities(classifier.logits(["good river", Pair("bad word", "good")]), classifier.heads)
    expected = np.stack([in_torch(place, "sequence", "good river"), in_torch(place, "sequence", "bad word", "good")])
    assert found == pytest.approx(probabilities(expected, classifier.heads), abs=tolerance(classifier))
    assert np.ptp(expected) > 0.1


def test_token_logits_are_those_of_the_merged_encoder_in_torch(place):
    classifier = Classifier.load(options(place, "token"))
    [found] = classifier.token_logits([Pair("bad word", "good river")])
    expected = in_torch(place, "token", "bad word", "good river")[4:6]  # [CLS] bad word [SEP] good river [SEP]
    assert found.spans.tolist() == [[0, 4], [5, 10]]
    assert probabilities(found.logits, classifier.heads) == pytest.approx(
        probabilities(expected, classifier.heads), abs=tolerance(classifier)
    )


def test_a_text_does_not_depend_on_its_neighbours(place):
    together = Classifier.load(options(place, "sequence", batch_tokens=200)).logits(TEXTS)
    classifier = Classifier.load(options(place, "sequence", cache_entries=0))
    alone = np.concatenate([classifier.logits([text]) for text in TEXTS])
    assert probabilities(together, HEADS) == pytest.approx(probabilities(alone, HEADS), abs=tolerance(classifier))


def test_tokens_do_not_depend_on_their_neighbours(place):
    classifier = Classifier.load(options(place, "token", batch_tokens=200))
    pairs = [Pair(text[::-1], text) for text in TEXTS]
    for pair, together in zip(pairs, classifier.token_logits(pairs), strict=True):
        [alone] = classifier.token_logits([pair])
        assert (alone.spans == together.spans).all()
        assert probabilities(alone.logits, HEADS) == pytest.approx(
            probabilities(together.logits, HEADS), abs=tolerance(classifier)
        )


def test_torch_and_openvino_agree(place, monkeypatch):
    fast = Classifier.load(options(place, "token"))
    monkeypatch.setattr("services.shared.engine.find_spec", lambda _: None)
    plain = Classifier.load(options(place, "token"))
    assert plain.engine.name == "torch on CPU"
    for one, other in zip(fast.token_logits(TEXTS), plain.token_logits(TEXTS), strict=True):
        assert probabilities(one.logits, HEADS) == pytest.approx(
            probabilities(other.logits, HEADS), abs=tolerance(fast)
        )


def test_windows_of_a_long_text_become_one_as_each_head_says(place):
    classifier = Classifier.load(options(place, "sequence"))
    parts = ["good " * 38, "bad " * 38]
    [whole] = classifier.logits(["".join(parts)])
    first, second = classifier.logits(parts)
    expected = [max(first[0], second[0]), min(first[1], second[1]), (first[2] + second[2]) / 2]
    assert whole == pytest.approx(np.array(expected), abs=0.1)


def test_a_token_is_judged_over_all_windows_of_its_context(place):
    classifier = Classifier.load(options(place, "alike"))
    [whole] = classifier.token_logits([Pair("river " * 34 + "good " * 34, "bad word")])
    assert whole.logits.shape == (2, 3)
    assert (whole.logits[:, 0] >= whole.logits[:, 2]).all()
    assert (whole.logits[:, 2] >= whole.logits[:, 1]).all()
    assert (whole.logits[:, 0] > whole.logits[:, 1]).all()


def test_what_repeats_is_passed_forward_once(place):
    classifier = Classifier.load(options(place, "sequence"))
    rows = []
    forward = classifier.engine.forward
    classifier.engine.forward = lambda *inputs: rows.append(len(inputs[0])) or forward(*inputs)
    first = classifier.logits(["same", "same", Pair("same", "other")])
    again = classifier.logits([Pair("same", "other"), "same"])
    assert sum(rows) == 2
    assert (again == first[[2, 0]]).all()


def test_nothing_gives_nothing(place):
    assert Classifier.load(options(place, "sequence")).logits([]).shape == (0, 3)
    assert Classifier.load(options(place, "token")).token_logits([]) == []


def test_empty_texts_and_every_plane_are_taken(place):
    texts = ["", "\ud800", *(chr(plane << 16 | 0x41) * 50 for plane in range(17)), "word " * 100_000]
    assert np.isfinite(Classifier.load(options(place, "sequence")).logits(texts)).all()
    for text, found in zip(texts, Classifier.load(options(place, "token")).token_logits(texts), strict=True):
        assert len(found.spans) == len(found.logits)
        assert np.isfinite(found.logits).all()
        assert (found.spans <= len(text)).all()


def test_tokens_tell_what_fits_into_a_window(place):
    [spans] = Classifier.load(options(place, "token")).tokens(["good river"])
    assert spans.tolist() == [[0, 4], [5, 10]]


def test_asking_for_the_other_kind_is_refused(place):
    with pytest.raises(TypeError, match="token_logits"):
        Classifier.load(options(place, "token")).logits(["a"])
    with pytest.raises(TypeError, match="ask for logits"):
        Classifier.load(options(place, "sequence")).token_logits(["a"])


def test_the_version_names_the_adapter(place):
    digest = adapters.digest(place / "token.safetensors")
    assert Classifier.load(options(place, "token")).version == digest[:12]


def test_a_missing_conversion_names_the_remedy(place, tmp_path):
    with pytest.raises(ModelMissingError, match=r"classifier_store .*token\.safetensors --encoder"):
        Classifier.load(replace(options(place, "token"), models=tmp_path))
    with pytest.raises(ModelMissingError, match="no adapter"):
        Classifier.load(replace(options(place, "token"), adapter=tmp_path / "none"))


def test_an_adapter_of_another_encoder_is_refused(place, tmp_path):
    path = an_adapter_file(tmp_path / "adapter.safetensors", "00" * 32)
    with pytest.raises(WrongEncoderError, match="trained on encoder 000000000000"):
        classifier_store.convert(str(place / "encoder"), path, tmp_path / "models")
    assert not list((tmp_path / "models").glob("*"))


def test_what_is_converted_is_not_converted_again(place, monkeypatch):
    monkeypatch.setattr("services.shared.model_store.save_graph", None)
    again = classifier_store.convert(str(place / "encoder"), place / "token.safetensors", place / "models")
    assert again == classifier_store.find(str(place / "encoder"), place / "token.safetensors", place / "models")


def test_an_error_in_the_middle_leaves_nothing_behind(place, tmp_path, monkeypatch):
    def fails(*_):
        raise Unusable("the disk is full")

    monkeypatch.setattr("services.shared.model_store.save_graph", fails)
    with pytest.raises(Unusable):
        classifier_store.convert(str(place / "encoder"), place / "token.safetensors", tmp_path / "models")
    assert not list((tmp_path / "models").glob("*"))
