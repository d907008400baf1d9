"""What a partition of embeddings says of its windows."""

import pytest

from services.drift.drift import Partition, Rules
from services.drift.store import ReferenceFiles
from tests.unit.drift.builders import AT_ONCE, a_deployment, an_embedding, second, segment, vectors

RULES = Rules(
    interval_seconds=10, reference_size=40, minimum_sample=20, maximum_sample=60, permutations=99, timing=AT_ONCE
)


class Line:
    """A partition with its log, its store and the deployment that it sees."""

    def __init__(self, folder, rules=RULES):
        self.folder, self.rules, self.deployment, self.log = folder, rules, None, []
        self.restart()

    def restart(self):
        """What is left after a crash: files and the log."""
        self.partition = Partition(0, self.rules, ReferenceFiles(self.folder), lambda _: self.deployment)

    def send(self, first, count, *, at, seed=None, shift=0.0, version="v1", **fields):
        rows = vectors(count, seed=first if seed is None else seed, shift=shift)
        for number, row in enumerate(rows, start=first):
            embedding = an_embedding(number, at=at + (number - first) / count, vector=row, version=version, **fields)
            self.log.append(embedding)
            self.partition.add(embedding, len(self.log) - 1)
        self.partition.keep()
        return self.tick(at + 1)

    def tick(self, at):
        return list(self.partition.tick(second(at)))


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path)


def judged(windows):
    (window,) = windows
    return window.drift


def test_the_first_calls_are_the_reference_and_are_judged_by_nobody(line):
    line.send(0, 40, at=0)
    assert line.tick(100) == []
    assert line.partition.needed() is None


def test_a_window_like_its_reference_and_one_that_is_not(line):
    line.send(0, 40, at=0)
    line.send(100, 30, at=10)
    same = judged(line.tick(22))
    line.send(200, 30, at=20, shift=0.5)
    moved = judged([window for window in line.tick(32) if window.window_start.second == 20])
    assert same.p_value > 0.05
    assert moved.p_value == 0.01
    assert moved.statistic > 0.05 > same.statistic
    assert (moved.reference_version, moved.reference_size, moved.sample_size) == ("v1", 40, 30)


def test_mean_is_the_statistic_and_count_the_sample(line):
    line.send(0, 40, at=0)
    line.send(100, 30, at=10)
    (window,) = line.tick(22)
    assert (window.metric, window.evaluator, window.count) == ("embedding_drift.prompt", "mmd", 30)
    assert window.evaluator_version == "2+minilm@a1"
    assert window.mean == window.drift.statistic


def test_calls_of_one_session_are_counted_and_not_judged(line):
    line.send(0, 40, at=0)
    line.send(100, 30, at=10, session_id="one")
    (window,) = line.tick(22)
    assert (window.count, window.not_scored, window.drift) == (0, 30, None)


def test_too_few_calls_are_counted_and_not_judged(line):
    line.send(0, 40, at=0)
    line.send(100, 19, at=10)
    (window,) = line.tick(22)
    assert (window.count, window.not_scored, window.drift, window.mean) == (0, 19, None, None)


def test_a_call_that_was_hardly_kept_at_all_spoils_no_sample_and_no_reference(line):
    line.send(0, 40, at=0)
    line.send(90, 1, at=10, inclusion_probability=1e-9)
    line.send(100, 30, at=10)
    assert judged(line.tick(22)).sample_size == 30
    assert line.partition.tally.improbable == 1


def test_a_whole_window_is_fuller_than_what_a_restart_left_of_it_though_both_samples_are_full(line):
    line.send(0, 40, at=0)
    line.send(100, 300, at=10)
    (whole,) = line.tick(22)
    line.restart()
    for embedding in line.log[-100:]:
        line.partition.add(embedding, 0)
    line.tick(11)
    (tail,) = line.tick(22)
    assert (whole.window_id, whole.count) == (tail.window_id, tail.count)
    assert whole.fullness > tail.fullness
    assert whole.not_scored > tail.not_scored > 0


def test_prompts_responses_and_encoders_are_compared_with_their_like(line):
    for field, encoder in (("prompt", "a1"), ("response", "a1"), ("prompt", "b2")):
        line.send(0, 40, at=0, seed=1, field=field, encoder_version=encoder)
        line.send(100, 30, at=10, seed=2, field=field, encoder_version=encoder)
    assert len({(window.metric, window.evaluator_version) for window in line.tick(22)}) == 3


def test_a_version_is_judged_by_the_one_that_it_replaced(line):
    line.deployment = a_deployment("v1")
    line.send(0, 40, at=0)
    line.deployment = a_deployment("v2", "v1", revision=2)
    line.send(100, 30, at=10, shift=0.5, version="v2")
    test = judged(line.tick(22))
    assert (test.reference_version, test.p_value) == ("v1", 0.01)


def test_a_bad_version_is_not_compared_with_itself_however_long_it_runs(line):
    line.deployment = a_deployment("v1")
    line.send(0, 40, at=0)
    line.deployment = a_deployment("v2", "v1", revision=2)
    windows = []
    for step in range(1, 6):
        line.send(100 * step, 30, at=10 * step, shift=0.5, version="v2")
        windows += line.tick(10 * step + 12)
    assert [(window.drift.reference_version, window.drift.p_value) for window in windows] == [("v1", 0.01)] * 5


def test_after_a_rollback_the_old_version_is_judged_by_its_own_reference(line):
    line.deployment = a_deployment("v1")
    line.send(0, 40, at=0)
    line.deployment = a_deployment("v2", "v1", revision=2)
    line.send(100, 60, at=10, shift=0.5, version="v2")
    line.deployment = a_deployment("v1", "v2", revision=3)
    line.restart()
    line.send(200, 30, at=20)
    test = judged(line.tick(32))
    assert (test.reference_version, test.p_value > 0.05) == ("v1", True)


def test_a_version_whose_deployment_is_seen_late_is_judged_by_its_predecessor_all_the_same(line):
    line.send(0, 40, at=0)
    line.send(100, 20, at=10, shift=0.5, version="v2")
    line.deployment = a_deployment("v2", "v1", revision=2)
    line.partition.keep()
    line.send(200, 30, at=12, shift=0.5, version="v2")
    assert judged(line.tick(32)).reference_version == "v1"


def test_without_a_reference_of_the_predecessor_a_version_has_its_own(line):
    line.deployment = a_deployment("v2", "v1", revision=2)
    line.send(0, 40, at=0, version="v2")
    line.send(100, 30, at=10, version="v2")
    assert judged(line.tick(22)).reference_version == "v2"


def test_a_reference_in_the_making_survives_a_crash(line):
    line.send(0, 25, at=0)
    assert line.partition.needed() is None
    line.restart()
    for offset, embedding in enumerate(line.log):
        line.partition.add(embedding, offset)  # repeats are harmless
    line.send(30, 15, at=5)
    line.send(100, 30, at=10)
    assert judged(line.tick(22)).reference_size == 40


def test_what_is_not_kept_yet_is_still_needed(line):
    line.partition.add(an_embedding(1), 7)
    assert line.partition.needed() == 7
    line.partition.keep()
    assert line.partition.needed() is None


def test_a_rebuilt_window_is_the_same_in_any_order(line):
    line.send(0, 40, at=0)
    line.send(100, 90, at=10, shift=0.02)
    first = line.tick(22)
    line.restart()
    for offset, embedding in reversed(list(enumerate(line.log))):
        line.partition.add(embedding, offset)
        line.partition.add(embedding, offset)
    line.partition.keep()
    line.tick(11)
    assert line.tick(22) == first
    assert first[0].count == 60


def test_a_vector_that_would_spoil_its_space_is_refused(line):
    line.partition.add(an_embedding(1), 0)
    broken = vectors(1, seed=2)[0].copy()
    broken[3] = float("nan")
    for embedding in (
        an_embedding(2, vector=broken),
        an_embedding(3, dimension=8),
        an_embedding(4, vector=vectors(1)[0][:8]),
    ):
        with pytest.raises(ValueError, match="vector has"):
            line.partition.add(embedding, 1)


def test_synthetic_calls_are_no_traffic(line):
    line.send(0, 60, at=0, synthetic=True)
    assert line.partition.tally.referenced == 0


def test_references_that_are_not_used_are_let_go_and_judge_all_the_same(line, monkeypatch):
    for module in ("drift.partition", "store"):
        monkeypatch.setattr(f"services.drift.{module}.REFERENCES_KEPT", 2)
    versions = [f"v{number}" for number in range(6)]
    for version in versions:
        line.send(0, 40, at=0, version=version)
        line.send(100, 30, at=10, version=version)
    assert len(line.partition._own) == len(line.partition.store._frozen) == 2
    assert [window.drift.reference_version for window in line.tick(22)] == versions


def test_segments_do_not_share_references(line):
    line.send(0, 40, at=0)
    line.send(100, 30, at=10, version="other")
    assert line.tick(22) == []
    assert segment("other") != segment("v1")
