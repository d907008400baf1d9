"""The training of encoder and heads: they learn what sources say, nothing of what these leave open, the same again."""

import numpy as np
import pytest

from services.shared.torch_adapter import changes_of
from services.toxicity.toxicity import KINDS
from services.toxicity.training import adapting, fitting
from services.toxicity.training.examples import CLEAN, Example
from services.toxicity.training.fitting import HEADS

INSULTS = ("You are a stupid fool", "What an idiot you are", "Shut up, you moron", "You worthless clown")
KINDNESS = ("Thank you for the help", "What a lovely garden", "The train leaves at nine", "Please water the plants")
NAMES = ("Ann", "Bob", "Eve", "Tom", "Kim", "Max")


def examples():
    for name in NAMES:
        yield from (Example(f"{text}, {name}.", "rude", {"abuse": 1.0}, held_out=name == "Max") for text in INSULTS)
        yield from (Example(f"{text}, {name}.", "kind", CLEAN, held_out=name == "Max") for text in KINDNESS)


def test_the_adapter_is_the_same_again_and_its_lower_layers_stay_as_they_were():
    found = [example for example in examples() if not example.held_out]
    one, other = (changes_of(adapting.trained(found, seed=3, epochs=2)) for _ in range(2))
    assert one.keys() == other.keys()
    assert {int(path.split(".")[2]) for path in one} == {3, 4, 5}
    for path, pair in one.items():
        assert all((here == there).all() for here, there in zip(pair, other[path], strict=True))
    assert any(np.abs(second).max() > 0 for _, second in one.values())


@pytest.fixture(scope="module")
def vectors():
    """Two clouds, by what the examples say of abuse; the rest is noise."""
    found = list(examples()) * 20
    noise = np.random.default_rng(2).normal(size=(len(found), 24)).astype(np.float32)
    noise[:, 0] += [8.0 * each.labels["abuse"] for each in found]
    return found, noise


def test_the_mean_of_several_networks_is_one_network(vectors):
    found, noise = vectors
    kept = [each for each in found if not each.held_out]
    own = noise[[not each.held_out for each in found]]
    members = [fitting._trained(kept, own, seed) for seed in (1, 2, 3)]
    joined = fitting._joined(members)
    assert joined.raw(noise) == pytest.approx(np.mean([each.raw(noise) for each in members], axis=0), abs=1e-4)


def test_a_kind_that_no_source_tells_apart_is_refused(vectors):
    found, noise = vectors
    held_out = np.array([each.held_out for each in found])
    with pytest.raises(ValueError, match="identity_attack: what is held out must hold"):
        fitting.fit(found, noise, held_out=held_out, seed=1)


def test_every_head_is_calibrated_on_what_is_held_out(vectors):
    found, noise = vectors
    known = [
        Example(each.text, each.source, dict.fromkeys(HEADS, each.labels["abuse"]), each.held_out) for each in found
    ]
    held_out = np.array([each.held_out for each in found])
    network = fitting.fit(known, noise, held_out=held_out, seed=1)
    flagged = network.logits(noise[held_out])[:, : len(KINDS)] > 0
    truth = np.array([each.labels["abuse"] > 0 for each in known])[held_out]
    assert (flagged == truth[:, None]).mean() > 0.9
    assert (network.slope > 0).all()
