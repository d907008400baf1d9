"""The encoder as it ships, on this machine."""

import subprocess
import sys

import numpy as np
import pytest

from services.quality.model import LateEncoder
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import ModelDamagedError, ModelMissingError, convert, find
from tests.support.models import MODELS, an_encoder


@pytest.fixture(scope="module")
def encoder():
    return an_encoder()


def test_vectors_are_unit_length_and_in_the_callers_order(encoder):
    texts = ["a cat sat", "The stock market fell by two percent on Monday. " * 8, "a cat was sitting"]
    vectors = encoder.encode(texts)
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[2] > 0.5 + vectors[0] @ vectors[1]


def test_nothing_gives_nothing(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_a_text_does_not_depend_on_its_neighbours(encoder):
    texts = [f"{'word ' * number} end" for number in range(120)]
    alone = np.concatenate([an_encoder().encode([texts[number]]) for number in (0, 60, 119)])
    assert an_encoder().encode(texts)[[0, 60, 119]] == pytest.approx(alone, abs=2e-2)


def test_what_repeats_is_passed_forward_once():
    encoder = an_encoder()
    engine = Counting(encoder.engine)
    encoder.engine = engine
    first = encoder.encode(["same", "same", "other"])
    again = encoder.encode(["other", "same"])
    assert engine.rows == 2
    assert (again == first[[2, 0]]).all()


def test_the_cache_is_bounded():
    encoder = Encoder.load(EncoderOptions(models=MODELS, cache_entries=5))
    encoder.encode([str(number) for number in range(50)])
    assert len(encoder._cache) == 5


def test_what_is_cached_holds_no_batch():
    encoder = an_encoder()
    encoder.encode([str(number) for number in range(50)])
    assert all(vector.base is None for vector in encoder._cache._values.values())


def test_a_missing_model_names_the_remedy(tmp_path):
    with pytest.raises(ModelMissingError, match="make setup"):
        Encoder.load(EncoderOptions(models=tmp_path))
    with pytest.raises(ModelMissingError, match=r"model_store hf:a/b"):
        find("hf:a/b", tmp_path)


def test_what_changes_a_long_texts_vector_is_in_the_version():
    few = Encoder.load(EncoderOptions(models=MODELS, max_windows=4))
    assert few.version == f"{an_encoder().version}-w4"
    assert LateEncoder(EncoderOptions(models=MODELS, max_windows=4)).version == few.version


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(ModelMissingError, match=r"no model\.safetensors"):
        convert(str(tmp_path), tmp_path / "models")


def test_other_weights_than_the_published_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_bytes(b"other")
    monkeypatch.setattr("services.shared.model_store.weights_folder", lambda _: tmp_path)
    with pytest.raises(ModelDamagedError, match="published is"):
        convert("builtin", tmp_path / "models")


def test_a_cpu_needs_no_torch():
    code = (
        "import sys; from services.toxicity import app as a, config as b; a.scorer(b.Config(models=sys.argv[1]));"
        "from services.hallucination import app, config; app.scorer(config.Config(models=sys.argv[1]));"
        "print({'torch', 'transformers', 'sentence_transformers', 'sklearn'} & set(sys.modules))"
    )
    an_encoder()
    done = subprocess.run([sys.executable, "-c", code, str(MODELS)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class Counting:
    """An engine that counts rows."""

    def __init__(self, engine):
        self.engine, self.precision, self.name, self.rows = engine, engine.precision, engine.name, 0

    def forward(self, ids, mask):
        self.rows += len(ids)
        return self.engine.forward(ids, mask)
