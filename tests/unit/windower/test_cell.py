"""Which of the scores of one id stays, whenever the cell is settled."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.windower.windower import Cell
from tests.unit.windower.builders import START, a_score

RANK = {"failed": 0, "not_scored": 1, "scored": 2}
arrivals = st.lists(
    st.builds(
        a_score,
        st.integers(0, 5),
        value=st.sampled_from([None, 1.0, 2.0, 3.0]),
        input_at=st.sampled_from([None, START, START.replace(hour=10)]),
        inclusion_probability=st.sampled_from([1.0, 0.5]),
        groups=st.sampled_from([{"region": "eu"}, {"region": "us", "plan": "pro"}]),
    ),
    max_size=30,
)


def goodness(score):
    stamp = START if score.input_at is None else score.input_at
    return stamp, RANK[score.status], score.inclusion_probability


def best(scores):
    kept = {}
    for score in scores:
        known = kept.get(score.score_id)
        if known is None or goodness(score) > goodness(known):
            kept[score.score_id] = score
    return list(kept.values())


def in_groups(cell):
    values = cell.rows().value
    return {name: sorted(values[members].tolist()) for name, members in cell.groups(10)}


@given(arrivals, st.sets(st.integers(0, 30)))
def test_the_first_of_the_best_stays_of_each_id_with_its_groups(scores, settled_after):
    cell = Cell()
    for number, score in enumerate(scores):
        cell.add(score, START.timestamp())
        if number in settled_after:
            cell.settle()
    cell.settle()
    kept = best(scores)
    names = {f"{attribute}={value}" for score in kept for attribute, value in score.groups.items()}
    assert sorted(cell.rows().value) == sorted(score.value or 0.0 for score in kept)
    assert sorted(cell.rows().weight) == sorted(1 / score.inclusion_probability for score in kept)
    assert in_groups(cell) == {
        name: sorted(score.value or 0.0 for score in kept if name in _named(score)) for name in names
    }


@given(arrivals)
def test_what_is_settled_and_comes_again_is_repeated(scores):
    cell = Cell()
    for score in scores:
        cell.add(score, START.timestamp())
    distinct = len({score.score_id for score in scores})
    assert cell.settle() == (distinct, len(scores) - distinct)
    before = cell.rows()
    for score in scores:
        cell.add(score, START.timestamp())
    assert cell.settle() == (0, len(scores))
    assert all(np.array_equal(getattr(cell.rows(), name), column) for name, column in vars(before).items())


def _named(score):
    return {f"{attribute}={value}" for attribute, value in score.groups.items()}
