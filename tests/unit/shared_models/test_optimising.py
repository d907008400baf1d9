"""Models in int8 and with fewer layers: what is lost is measured, and decides."""

import hashlib
import json
import random

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import application
from services.shared import classifier_store, int8, model_memory, model_store
from services.shared.classifier import Classifier, ClassifierOptions, Pair, probabilities
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.errors import Unusable
from services.shared.model_memory import ModelTooLargeError
from services.shared.optimising import Task, outputs, pruned, quantised
from tests.support.tiny_models import an_adapter_file, an_encoder_folder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of NNCF

MEASURE = int8.Int8Difference(measure="probability", mean=0.1, of_99_percent=0.2, largest=0.3, texts=4)
WORDS = ("word", "good", "bad", "river", "some", "thing")


def texts(count):
    choose = random.Random(1)
    return [" ".join(choose.choices(WORDS, k=choose.randint(1, 12))) for _ in range(count)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An encoder and a token adapter, converted, both in int8, too."""
    folder = tmp_path_factory.mktemp("place")
    encoder = an_encoder_folder(folder / "encoder")
    sha256 = hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    adapter = an_adapter_file(folder / "adapter.safetensors", sha256, kind="token")
    model_store.convert(str(encoder), folder / "models")
    classifier_store.convert(str(encoder), adapter, folder / "models")
    return folder


def task(place, adapter=None, sample=()):
    name = place / adapter if adapter else None
    return Task(source=str(place / "encoder"), adapter=name, models=place / "models", sample=sample or texts(80))


def options(place, **given):
    return EncoderOptions(model=str(place / "encoder"), models=place / "models", device="cpu", **given)


def test_an_encoder_in_int8_is_used_where_it_passes_the_gate(place):
    done = quantised(task(place))
    assert done.difference.measure == "1 - cosine"
    assert 0 < done.difference.mean <= done.difference.of_99_percent <= done.difference.largest
    encoder = Encoder.load(options(place, precision="int8", int8_difference=done.difference.of_99_percent))
    assert encoder.engine.precision == "int8"
    assert encoder.version == f"{encoder.weights_version}-int8.{done.difference.graph[:6]}"
    apart = 1 - (encoder.encode(texts(80)[1::2]) * Encoder.load(options(place)).encode(texts(80)[1::2])).sum(1)
    assert apart.mean() == pytest.approx(done.difference.mean, abs=1e-3)


def test_an_encoder_in_int8_that_fails_the_gate_says_so(place):
    found = model_store.find(str(place / "encoder"), place / "models")
    if not int8.measured(found.folder):
        quantised(task(place))
    with pytest.raises(int8.Int8Refused, match="allowed is 1e-09"):
        Encoder.load(options(place, precision="int8", int8_difference=1e-9))


def test_a_classifier_in_int8_has_a_version_of_its_own(place):
    sample = [Pair(text[::-1], text) for text in texts(80)]
    done = quantised(task(place, "adapter.safetensors", sample))
    given = {"model": str(place / "encoder"), "adapter": place / "adapter.safetensors", "models": place / "models"}
    plain = Classifier.load(ClassifierOptions(**given, device="cpu"))
    small = Classifier.load(ClassifierOptions(**given, device="cpu", precision="int8", int8_difference=1.0))
    assert small.version == f"{plain.version}-int8.{done.difference.graph[:6]}"
    assert small.weights_version == plain.version
    apart = np.abs(outputs(plain, sample[1::2]) - outputs(small, sample[1::2]))
    assert done.difference.measure == "probability"
    assert np.quantile(apart, 0.99) == pytest.approx(done.difference.of_99_percent, abs=1e-2)
    alone = np.concatenate([found.logits for pair in sample for found in small.token_logits([pair])])
    together = np.concatenate([found.logits for found in small.token_logits(sample)])
    assert probabilities(together, small.heads) == pytest.approx(probabilities(alone, small.heads), abs=5e-2)


def test_another_graph_in_int8_is_another_version(tmp_path):
    versions = set()
    for weights in (b"one", b"other"):
        built = tmp_path / weights.decode()
        built.mkdir()
        (built / "int8.bin").write_bytes(weights)
        (built / int8.GRAPH).write_text("<net/>")
        int8.keep(tmp_path, built, MEASURE)
        versions.add(EncoderOptions().signed("53aa", "int8", tmp_path))
    assert len(versions) == 2
    (tmp_path / int8.MEASURED).write_bytes(msgspec.json.encode(MEASURE))
    assert EncoderOptions().signed("53aa", "int8", tmp_path) == "53aa-int8"


def test_int8_that_was_never_made_names_the_command(place, tmp_path):
    model_store.convert(str(place / "encoder"), tmp_path)
    with pytest.raises(int8.Int8Refused, match=r"run `tidemark models optimize .*encoder`"):
        Encoder.load(EncoderOptions(model=str(place / "encoder"), models=tmp_path, device="cpu", precision="int8"))


def test_int8_counts_only_with_its_measure(tmp_path):
    (tmp_path / int8.GRAPH).write_text("")
    assert int8.measured(tmp_path) is None


def test_a_pruned_model_is_a_model_of_its_own(place, tmp_path):
    done = pruned(task(place), 1, tmp_path / "small")
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert config["num_hidden_layers"] == 1
    assert done.difference.mean > 0
    encoder = Encoder.load(EncoderOptions(model=str(tmp_path / "small"), models=place / "models", device="cpu"))
    assert encoder.version != Encoder.load(options(place)).version


def test_a_model_is_never_pruned_over_itself(place):
    origin = model_store.weights_folder(task(place).source)
    before = {path.name: path.read_bytes() for path in origin.iterdir() if path.is_file()}
    with pytest.raises(Unusable, match="name another folder"):
        pruned(task(place), 1, origin)
    assert {path.name: path.read_bytes() for path in origin.iterdir() if path.is_file()} == before


def test_a_model_that_would_not_fit_says_so(place):
    with pytest.raises(ModelTooLargeError, match="64 are allowed: choose a smaller model"):
        Encoder.load(options(place, memory_mb=64, batch_tokens=65_536))
    Encoder.load(options(place, memory_mb=200))


def test_a_control_group_limits_what_is_available(tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert model_memory.available_bytes(tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert model_memory.available_bytes(tmp_path) > 600_000


def run(*arguments):
    return CliRunner().invoke(application("models"), ["models", *map(str, arguments)])


def test_the_command_prints_speed_and_quality(place, tmp_path):
    sample = tmp_path / "calls.jsonl"
    lines = [{"prompt": text, "response": text[::-1], "context": [{"text": "river"}, text]} for text in texts(60)]
    sample.write_bytes("\n".join(map(json.dumps, lines)).encode() + b"\nnone\n\xff\n")
    given = ["--folder", place / "models", "--sample", sample, "--json"]
    done = run("optimize", place / "adapter.safetensors", "--encoder", place / "encoder", "--gate", "1", *given)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["difference"]["texts"] == 30
    assert told["passed"]
    assert told["before"]["texts_per_second"] > 0
    assert all(line in done.stderr for line in ("line 61", "line 62"))
    listed = json.loads(run("list", "--folder", place / "models", "--json").stdout)["models"]
    [adapter] = [model for model in listed if model["kind"] == "classifier of tokens"]
    assert adapter["outputs"] == ["first", "second"]
    assert adapter["int8"] == told["difference"]


def test_the_command_ends_with_1_where_more_than_the_gate_is_lost(place):
    done = run("optimize", place / "encoder", "--gate", "0", "--texts", "40", "--folder", place / "models")
    assert done.exit_code == 1
    assert "texts/s" in done.stdout
    assert "more than the gate" in done.stderr


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["optimize", "nobody"], 69, "run `python -m"),
    (["optimize", "builtin", "--layers", "2"], 2, "--layers needs --output"),
    (["list"], 1, "run `make setup`, or set TIDEMARK_MODELS"),
])  # fmt: skip
def test_what_is_not_there_names_the_remedy(tmp_path, arguments, code, said):
    done = run(*arguments, "--folder", tmp_path / "empty")
    assert done.exit_code == code
    assert said in done.stderr


def test_a_difference_survives_its_file(tmp_path):
    (tmp_path / int8.MEASURED).write_bytes(msgspec.json.encode(MEASURE))
    assert int8.measured(tmp_path) == MEASURE
