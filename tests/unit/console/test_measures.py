"""What the page says of every metric."""

from services.console.measures import LOWER_IS_WORSE, measures
from services.embedded.scorers import SCORERS


def a_row(version, metric="refusal", weight=10.0, total=5.0, labelled=2.0):
    sums = {"count": 10, "weight": weight, "weighted_sum": total, "labelled_weight": labelled}
    return {"version": version, "metric": metric, "evaluator": "quality", **sums}


def test_each_metric_has_a_cell_for_every_version():
    rows = [a_row("v2", labelled=0.0), a_row("v1"), a_row("v1", "bleu", total=300.0)]
    shown = measures(rows, {"v1": 0, "v2": 1})
    assert [each["version"] for each in shown["versions"]] == ["v1", "v2"]
    bleu, refusal = shown["measures"]
    assert (bleu["metric"], bleu["cells"][0]["mean"], bleu["cells"][1]) == ("bleu", 30.0, None)
    assert [cell["mean"] for cell in refusal["cells"]] == [0.5, 0.5]
    assert [cell["labelled"] for cell in refusal["cells"]] == [0.2, None]


def test_what_was_never_scored_is_left_out():
    assert measures([a_row("v1", weight=0.0)], {})["measures"] == []


def test_which_way_is_worse_is_what_the_scorers_say():
    assert {m.name for offer in SCORERS for m in offer.metrics if m.worse == "lower"} == LOWER_IS_WORSE
