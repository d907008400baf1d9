"""Windows for the tests: real values, aggregated as the windower does."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

from schemas.ids import derived_id
from schemas.messages import Deployment, DriftTest, Segment, Sketch, Target, Window

START = datetime(2026, 3, 1, 14, 3, 20, tzinfo=UTC)
GAMMA = 1.01 / 0.99
TARGET = Target(tenant="t", app="docs-bot", environment="production")
DEFAULTS = {"interval": 5, "group": "", "partition": 0, "generation": 0, "drift": None, "evaluator_version": "1"}


def segment(version="v2"):
    return Segment(tenant="t", app="docs-bot", environment="production", version=version)


def at(seconds):
    return START + timedelta(seconds=seconds)


def sketch(values):
    bins = Counter(math.ceil(math.log(value, GAMMA)) for value in values if value > 0)
    return Sketch(positive={k: float(v) for k, v in bins.items()}, zero=float(sum(value == 0 for value in values)))


def a_window(metric, values, index=0, *, version="v2", label_at=0.5, **others):
    options = {**DEFAULTS, **others}
    interval, start = options["interval"], at(index * options["interval"])
    identity = (version, metric, options["group"], interval, start, options["partition"], options["evaluator_version"])
    return Window(
        window_id=derived_id("window", *identity),
        segment=segment(version),
        metric=metric,
        evaluator="test",
        evaluator_version=options["evaluator_version"],
        group=options["group"],
        interval_seconds=interval,
        window_start=start,
        window_end=start + timedelta(seconds=interval),
        source_partition=options["partition"],
        generation=options["generation"],
        count=len(values),
        labelled=sum(value >= label_at for value in values),
        weight=float(len(values)),
        weight_squares=float(len(values)),
        weighted_sum=float(sum(values)),
        weighted_square_sum=float(sum(value * value for value in values)),
        labelled_weight=float(sum(value >= label_at for value in values)),
        minimum=float(min(values)) if len(values) else None,
        maximum=float(max(values)) if len(values) else None,
        sketch=sketch(values),
        drift=options["drift"],
    )


def split_windows(metric, groups, index=0):
    """The window of all calls and one for each group of a mapping of `attribute=value` to values."""
    everything = [value for values in groups.values() for value in values]
    return [
        a_window(metric, everything, index),
        *(a_window(metric, values, index, group=group) for group, values in groups.items()),
    ]


def a_drift(p_value, statistic=0.1, size=40):
    return DriftTest(
        name="mmd",
        statistic=statistic,
        p_value=p_value,
        reference_id="r",
        reference_version="v1",
        reference_size=100,
        sample_size=size,
    )


def a_deployment(version="v2", previous="v1", **others):
    return Deployment(
        deployment_id=derived_id("deployment", version, previous),
        target=TARGET,
        revision=2,
        version=version,
        version_hash="h",
        previous_version=previous,
        deployed_at=START,
        deployed_by="someone",
        **others,
    )
