"""Windows made again from stored scores: what differs is replaced, what the store lacks is kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.shared.tumbling import Timing
from services.windower.windower import Known, Measured, Partition, Place, Rebuild, Span
from tests.unit.windower.builders import START, a_score, second

INTERVAL, PARTITION = 10, 3
SPAN = Span(INTERVAL, int(second(0)))


def emitted(scores, partition=PARTITION):
    """What the running windower makes of scores."""
    windows = Partition(partition, (INTERVAL,), timing=Timing(settle_seconds=0))
    for offset, score in enumerate(scores):
        windows.add(score, offset)
    return [*windows.tick(second(20)), *windows.tick(second(1000))]


def stored(*windows):
    known = {}
    for window in windows:
        measured = Measured(window.segment, window.metric, window.evaluator, window.evaluator_version)
        span = Span(window.interval_seconds, int(window.window_start.timestamp()))
        known.setdefault(Place(measured, window.group, span), []).append(
            Known(
                window.source_partition,
                window.generation,
                window.count,
                window.not_scored,
                window.failed,
                window.labelled,
                window.weight,
                window.weighted_sum,
                window.corpus,
            )
        )
    return known


def rebuilt(scores, *windows):
    rebuild = Rebuild((INTERVAL,), lambda segment: PARTITION)
    rebuild.add(scores)
    return list(rebuild.differing(stored(*windows))), rebuild.done


SCORES = [
    a_score(n, at=n % 20, value=n / 7, label=n % 2 == 0, inclusion_probability=0.5, groups={"plan": "free"})
    for n in range(40)
]


def test_a_complete_window_says_the_same_and_is_left_alone():
    windows, done = rebuilt(SCORES, *emitted(SCORES))
    assert (windows, done.same, done.mended, done.kept) == ([], 4, 0, 0)


def test_a_window_that_missed_scores_is_replaced_one_generation_higher():
    windows, done = rebuilt(SCORES, *emitted(SCORES[:25]))
    assert (done.mended, done.kept) == (4, 0)
    assert {(window.generation, window.source_partition) for window in windows} == {(1, PARTITION)}
    expected = {window.window_id: window for window in emitted(SCORES)}
    for window in windows:
        was = expected[window.window_id]
        assert (window.count, window.weighted_sum, window.sketch) == (was.count, was.weighted_sum, was.sketch)


def test_a_value_that_changed_is_seen_though_the_counts_are_the_same():
    changed = [a_score(0, at=0, value=99.0), a_score(1, at=1)]
    windows, _ = rebuilt(changed, *emitted([a_score(0, at=0, value=1.0), a_score(1, at=1)]))
    assert [window.weighted_sum for window in windows] == [100.0]


def test_a_weight_that_changed_is_seen_though_all_values_are_zero():
    surer = [a_score(0, at=0, value=0.0), a_score(1, at=1, value=0.0)]
    windows, _ = rebuilt(surer, *emitted([a_score(0, at=0, value=0.0, inclusion_probability=0.5), surer[1]]))
    assert [window.weight for window in windows] == [2.0]


def test_a_window_that_is_not_stored_is_made():
    (window,), done = rebuilt([a_score(1, at=4)])
    assert (window.generation, window.window_start, done.mended) == (0, START, 1)


def test_a_window_that_counted_more_than_is_stored_is_kept():
    windows, done = rebuilt(SCORES[:5], *emitted(SCORES))
    assert windows == []
    assert done.kept == 2


def test_what_two_partitions_held_becomes_one_window_and_stays_so():
    halves = emitted(SCORES[0:20:2], 0) + emitted(SCORES[1:20:2], 5)
    windows, _ = rebuilt(SCORES[:20], *halves)
    counted = {(window.source_partition, window.group, window.window_start): window.count for window in windows}
    assert sum(count for (partition, group, _), count in counted.items() if partition == 0 and not group) == 20
    assert {count for (partition, _, _), count in counted.items() if partition == 5} == {0}
    again, done = rebuilt(SCORES[:20], *windows)
    assert (again, done.mended) == ([], 0)


def test_synthetic_calls_are_left_out():
    windows, done = rebuilt([a_score(1, synthetic=True)])
    assert (windows, done.scores) == ([], 0)


@given(st.permutations(SCORES), st.integers(0, 40))
def test_whatever_was_missing_the_replacement_equals_the_complete_window(order, known):
    windows, _ = rebuilt(order, *emitted(order[:known]))
    assert stored(*windows).keys() <= stored(*emitted(SCORES)).keys()
    complete = {window.window_id: window for window in emitted(SCORES)}
    for window in windows:
        assert window.sketch == complete[window.window_id].sketch
        assert window.weighted_sum == complete[window.window_id].weighted_sum


LENGTHS = {"hypothesis_length": 4.0, "reference_length": 5.0}
GRAMS = {f"{kind}_{n}": 5.0 - n for kind in ("matches", "hypothesis") for n in (1, 2, 3, 4)}
BLEU = [a_score(n, at=n % 10, value=50.0, metric="bleu", statistics=LENGTHS | GRAMS) for n in range(9)]


def test_what_all_texts_are_worth_as_one_is_rebuilt_from_the_statistics_of_all():
    late = a_score(9, at=1, value=0.0, metric="bleu", statistics={**LENGTHS, **GRAMS, "matches_4": 0.0})
    (mended,), done = rebuilt([*BLEU, late], *emitted(BLEU))
    (whole,) = {window.window_id: window for window in emitted([*BLEU, late])}.values()
    assert (mended.corpus, mended.statistics, done.mended) == (whole.corpus, whole.statistics, 1)
    assert rebuilt([*BLEU, late], whole)[1].same == 1
