"""Whose reference judges a version, and what happens to its file."""

import numpy as np
import pytest

from schemas.ids import derived_id
from services.drift.drift import Reference, predecessor
from services.drift.drift.reference import space_of
from services.drift.store import ReferenceFiles
from tests.unit.drift.builders import a_deployment, an_embedding

BY_DECISION = {"decision_id": derived_id("decision", 1)}


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (None, None),
        (a_deployment("v2"), None),
        (a_deployment("v2", "v1"), "v1"),
        (a_deployment("v2", "v2"), None),
        (a_deployment("v2", "v3", **BY_DECISION), None),
        (a_deployment("v1", "v2", **BY_DECISION), "v1"),
        (a_deployment("v1", weights={"v1": 0.9, "v2": 0.1}), "v1"),
        (a_deployment("v4", "v3"), None),
        (a_deployment("v2", "v1", baseline_version="v0"), "v0"),
        (a_deployment("v2", "v1", baseline_version="v2"), None),
    ],
    ids=[
        "unseen",
        "first",
        "replaced",
        "again",
        "rolled back to",
        "rolled back from",
        "experiment",
        "elsewhere",
        "pinned",
        "pinned itself",
    ],
)
def test_what_v2_replaced(deployment, expected):
    assert predecessor(deployment, "v2") == expected


ONE = np.ones(2, dtype="<f4")


def a_reference(calls=3, size=3):
    reference = Reference(space_of(an_embedding()), size, judged_by="v0")
    for number in range(calls):
        reference.add(an_embedding(number, session_id="one"))
    return reference


def test_a_frozen_reference_takes_nothing_more():
    reference = a_reference()
    identity = reference.reference_id
    assert reference.frozen
    assert not reference.add(an_embedding(9))
    assert reference.reference_id == identity


def test_a_reference_looks_like_all_traffic_though_errors_are_kept_more_often():
    """One call in ten is an error and always kept, the others one time in eight."""
    reference, random = Reference(a_reference().space, 2000), np.random.default_rng(4)
    for number in range(40_000):
        if number % 10 == 0 or random.random() < 0.125:
            probability = 1.0 if number % 10 == 0 else 0.125
            reference.add(an_embedding(number, vector=ONE, inclusion_probability=probability))
    assert reference.frozen
    errors = sum(call % 10 == 0 for call in reference.calls)
    assert abs(errors / 2000 - 0.1) < 0.03


def test_one_call_that_was_kept_rarely_does_not_keep_a_reference_from_filling(tmp_path):
    reference, files = Reference(a_reference().space, 200), ReferenceFiles(tmp_path)
    reference.add(an_embedding(0, vector=ONE, inclusion_probability=1 / 128))
    for number in range(1, 500):
        reference.add(an_embedding(number, at=number, vector=ONE))
    assert len(reference.calls) < 20  # its own five minutes and the next
    files.save(reference)
    again = files.load(reference.space)
    for number in range(500, 5000):
        again.add(an_embedding(number, at=number, vector=ONE))
    assert again.frozen


def test_calls_that_come_again_or_late_meet_the_share_that_they_met():
    reference = Reference(a_reference().space, 2000)
    rare = [an_embedding(number, at=0, vector=ONE, inclusion_probability=1 / 8) for number in range(20)]
    thinned = [an_embedding(number, at=number / 10, vector=ONE) for number in range(100, 3000)]
    for each in (*rare, *thinned):
        reference.add(each)
    taken = list(reference.calls)
    for stretch in range(1, 4):
        reference.add(an_embedding(10_000 + stretch, at=stretch * 300, vector=ONE))
        for each in (*rare, *thinned):
            assert not reference.add(each)
    assert list(reference.calls)[: len(taken)] == taken


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_a_file_gives_back_what_was_saved(tmp_path, calls):
    reference = a_reference(calls)
    ReferenceFiles(tmp_path / "references").save(reference)
    again = ReferenceFiles(tmp_path / "references").load(reference.space)
    assert again == reference
    assert again.reference_id == reference.reference_id
    assert calls == 0 or np.array_equal(again.matrix(), reference.matrix())


def test_what_was_never_saved_is_not_there(tmp_path):
    assert ReferenceFiles(tmp_path).load(a_reference().space) is None


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], lambda content: content[:40] + b"x" + content[41:], lambda _: b""]
)
def test_a_damaged_file_is_set_aside(tmp_path, damage, caplog):
    files, reference = ReferenceFiles(tmp_path), a_reference()
    files.save(reference)
    path = files.path(reference.space)
    path.write_bytes(damage(path.read_bytes()))
    assert ReferenceFiles(tmp_path).load(reference.space) is None
    assert "does not match its hash" in caplog.text
    assert [file.suffix for file in tmp_path.iterdir()] == [".damaged"]


def test_saving_leaves_one_file(tmp_path):
    files = ReferenceFiles(tmp_path)
    for calls in (1, 2, 3):
        files.save(a_reference(calls))
    assert len(list(tmp_path.iterdir())) == 1
