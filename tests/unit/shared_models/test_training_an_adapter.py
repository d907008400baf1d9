"""What a training script makes is what a service runs."""

import hashlib

import numpy as np
import pytest
import torch

from services.shared import adapter as adapters
from services.shared.adapter import Head
from services.shared.torch_adapter import LowRank, adapter_of, merged, trainable
from tests.support.tiny_models import VOCABULARY, an_encoder_folder

IDS = torch.randint(5, len(VOCABULARY), (3, 7), generator=torch.Generator().manual_seed(1))
INPUTS = (IDS, torch.ones_like(IDS), torch.zeros_like(IDS))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return an_encoder_folder(tmp_path_factory.mktemp("encoder"))


def saved(module, base, path, *, alpha=16.0):
    sha256 = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    adapter = adapter_of(module, base_sha256=sha256, heads=[Head("a"), Head("b")], alpha=alpha, max_tokens=40)
    adapters.write(adapter, path)
    return merged(base, adapters.read(path))


@pytest.mark.parametrize(("kind", "hidden", "shape"), [("sequence", 0, (3, 2)), ("token", 16, (3, 7, 2))])
def test_the_merged_encoder_says_what_the_trained_one_said(base, tmp_path, kind, hidden, shape):
    torch.manual_seed(0)
    module = trainable(base, heads=2, kind=kind, hidden=hidden).train()
    optimiser = torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=1e-2)
    before = {name: value.clone() for name, value in module.state_dict().items() if ".frozen." in name}
    for _ in range(5):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(module(*INPUTS), torch.ones(shape))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    module.eval()
    with torch.inference_mode():
        expected, found = module(*INPUTS).numpy(), saved(module, base, tmp_path / "adapter")(*INPUTS).numpy()
    assert found.shape == shape
    assert found == pytest.approx(expected, abs=2e-2)  # of fp16
    assert all((module.state_dict()[name] == value).all() for name, value in before.items())


def test_every_linear_layer_of_the_encoder_can_change(base):
    module = trainable(base, heads=1, kind="token")
    assert sum(isinstance(layer, LowRank) for layer in module.modules()) == 2 * 6
    trained = [name for name, value in module.named_parameters() if value.requires_grad]
    assert all("lora_" in name or name.startswith("heads.") for name in trained)


def test_a_smaller_alpha_averages_with_the_base_weights(base, tmp_path):
    module = trainable(base, heads=2, kind="sequence")
    for layer in module.modules():
        if isinstance(layer, LowRank):
            torch.nn.init.normal_(layer.lora_B)
    name = "encoder.layer.0.output.dense"
    weights = [
        saved(module, base, tmp_path / "a", alpha=alpha).transformer.get_submodule(name).weight.detach().numpy()
        for alpha in (0.0, 8.0, 16.0)
    ]
    assert np.allclose(weights[1], (weights[0] + weights[2]) / 2, atol=1e-3)
