"""The adapter's file."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from services.shared import adapter as adapters
from services.shared.adapter import AdapterDamagedError, Head
from tests.support.tiny_models import an_adapter

BASE = "ab" * 32


def test_what_is_read_is_what_was_written(tmp_path):
    written = an_adapter(BASE, heads=(Head("threat", 1.5, -0.25, "max"), Head("abuse", over="mean")))
    adapters.write(written, tmp_path / "adapter.safetensors")
    read = adapters.read(tmp_path / "adapter.safetensors")
    assert read.facts == written.facts
    assert read.changes.keys() == written.changes.keys()
    for module in written.changes:
        assert (read.change(module) == written.change(module)).all()
    assert all((one == other).all() for one, other in zip(read.hidden, written.hidden, strict=True))
    assert all((one == other).all() for one, other in zip(read.output, written.output, strict=True))


def test_the_same_adapter_gives_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        adapters.write(an_adapter(BASE), tmp_path / name)
    assert adapters.digest(tmp_path / "one") == adapters.digest(tmp_path / "other")


def test_a_change_is_scaled_by_alpha_over_rank():
    adapter = an_adapter(BASE)
    [(module, (first, second)), *_] = adapter.changes.items()
    assert np.allclose(adapter.change(module), 2 * second @ first)


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "text").write_text("no tensors")
    with pytest.raises(AdapterDamagedError, match="cannot be read"):
        adapters.read(tmp_path / "text")
    with pytest.raises(AdapterDamagedError, match="cannot be read"):
        adapters.read(tmp_path / "missing")
    save_file({"a": np.zeros(1, np.float32)}, tmp_path / "other")
    with pytest.raises(AdapterDamagedError, match="is no adapter"):
        adapters.read(tmp_path / "other")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"heads": (Head("one"),)}, "1 heads are named, 2 are there"),
        ({"heads": (Head("one"), Head("two", slope=-1.0))}, "not positive"),
        ({"rank": 3}, "rank 3"),
    ],
)
def test_an_adapter_that_does_not_fit_itself_is_refused(tmp_path, facts, said):
    sound = an_adapter(BASE)
    adapters.write(replace(sound, facts=msgspec.structs.replace(sound.facts, **facts)), tmp_path / "adapter")
    with pytest.raises(AdapterDamagedError, match=said):
        adapters.read(tmp_path / "adapter")


def test_a_number_that_is_not_finite_is_refused(tmp_path):
    sound = an_adapter(BASE)
    adapters.write(replace(sound, output=(sound.output[0] * np.nan, sound.output[1])), tmp_path / "adapter")
    with pytest.raises(AdapterDamagedError, match="not finite"):
        adapters.read(tmp_path / "adapter")
