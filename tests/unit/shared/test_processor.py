"""What is known of a CPU, from what Linux tells of it."""

import pytest

from services.shared.processor import features, multiplies_bf16, name

ICE_LAKE = "avx avx2 avx512f avx512bw avx512vl avx512_vnni avx512_vbmi2"  # has AVX-512, and no bf16
GIVEN = "processor\t: {at}\nmodel name\t: Some CPU @ 2.0GHz\nflags\t\t: fpu {flags}\nbogomips\t: 4000\n\n"


def described(tmp_path, flags):
    path = tmp_path / "cpuinfo"
    path.write_text("".join(GIVEN.format(at=at, flags=flags) for at in range(2)))
    return path


@pytest.mark.parametrize(
    ("flags", "capable"),
    [
        ("avx avx2", False),
        (ICE_LAKE, False),
        (f"{ICE_LAKE} avx512_bf16", True),
        (f"{ICE_LAKE} amx_tile amx_bf16", True),
        ("avx avx2 avx_vnni avx_ne_convert", False),  # converts it, and multiplies nothing
    ],
)
def test_bf16_is_for_cpus_that_multiply_it(tmp_path, flags, capable):
    path = described(tmp_path, flags)
    assert multiplies_bf16(path) is capable
    assert features(path) == {"fpu", *flags.split()}
    assert name(path) == "Some CPU @ 2.0GHz"


def test_where_nobody_tells_there_is_no_bf16(tmp_path):
    assert not features(tmp_path / "none")
    assert not multiplies_bf16(tmp_path / "none")
    assert name(tmp_path / "none")
