"""False alarms of the default rules on healthy streams, and their delay on a bad version."""

from pathlib import Path

import numpy as np
import pytest

from services.alerter.alerter.evaluation import Baseline, Observation
from services.alerter.alerter.judgement import judge
from services.alerter.alerter.lifecycle import Progress
from services.alerter.alerter.rules import parse
from services.shared.aggregate import merge

from .streams import a_window, segment

RULES = parse((Path(__file__).parents[3] / "deploy/rules/default.yaml").read_text(), "default.yaml")
BASELINE_WINDOWS, WINDOWS = 20, 1000


class Stream:
    """Scores as healthy and bad versions give them; load moves whole windows by a quarter, and lasts."""

    def __init__(self, seed):
        self.random, self.load = np.random.default_rng(seed), 0.0

    def response_toxicity(self, size, bad):
        hot = self.random.random(size) < (0.5 if bad else 0.02)
        return np.where(hot, self.random.beta(6, 3, size), self.random.beta(0.5, 25, size))

    def hallucination(self, size, bad):
        wrong = self.random.random(size) < (0.9 if bad else 0.2)
        return np.where(wrong, self.random.beta(4, 3, size), self.random.beta(1.2, 6, size))

    def duration_seconds(self, size, bad):
        self.load = 0.5 * self.load + 0.15 * self.random.standard_normal()
        return (4.0 if bad else 1.0) * np.exp(self.load - 1 + 0.4 * self.random.standard_normal(size))

    def error(self, size, bad):
        return (self.random.random(size) < (0.35 if bad else 0.01)).astype(float)


METRICS = {
    "response_toxicity": "toxic-responses",
    "hallucination": "hallucination-rise",
    "duration_seconds": "slow-responses",
    "error": "errors",
}


def observed(window):
    return Observation(
        segment(), window.metric, "", "test", "1", 5, window.window_start, window.window_end, merge([window])
    )


def first_firing(metric, *, calls, seed, bad, windows):
    """The index of each window that fired; the version before was healthy."""
    stream = Stream(seed)
    draw = getattr(stream, metric)
    parts = [draw(max(1, stream.random.poisson(calls)), False) for _ in range(BASELINE_WINDOWS)]
    merged = merge([a_window(metric, np.concatenate(parts))])
    baseline = Baseline("v1", merged, tuple(merge([a_window(metric, part)]) for part in parts))
    rule = next(rule for rule in RULES if rule.name == METRICS[metric])
    progress, fired = Progress(), []
    for index in range(windows):
        window = a_window(metric, draw(max(1, stream.random.poisson(calls)), bad), index)
        judgement = judge(rule, observed(window), baseline, progress=progress, now=window.window_end)
        progress = judgement.progress
        fired += [index] if judgement.alert and judgement.alert.state == "firing" else []
    return fired


@pytest.mark.parametrize("calls", [12, 20, 100])
@pytest.mark.parametrize("metric", METRICS)
def test_a_healthy_stream_is_left_alone(metric, calls):
    assert first_firing(metric, calls=calls, seed=calls, bad=False, windows=WINDOWS) == []


@pytest.mark.parametrize("metric", METRICS)
def test_a_bad_version_fires_in_its_second_window(metric):
    delays = [(first_firing(metric, calls=20, seed=seed, bad=True, windows=8) or [99])[0] for seed in range(20)]
    assert np.median(delays) == 1
    assert max(delays) < 8
