"""How the quality report samples, compares, and what it says of what it was given."""

import json
import random
import re

import pytest

from benchmarks.quality import __main__ as program
from benchmarks.quality import baselines, plots, report, spans
from benchmarks.quality.measuring import measured
from benchmarks.quality.rows import Baseline, Row, Source
from benchmarks.quality.scored import Scored
from benchmarks.quality.sets import SETS, personal_data
from services.embedded.scorers import AVAILABLE, SCORERS
from services.guard.training.generation import templates

UNSURE = next(offer for offer in SCORERS if offer.service == "uncertainty")  # a scorer without a model


def a_row(number, label, *, pair=""):
    call = {"response": f"answer {number}", "log_probabilities": [-2.0 if label else -0.1] * (1 + number % 3)}
    return Row(call, f"answer {number} " + "word " * (number % 7), label, {"parity": str(number % 2)}, pair)


def a_source(rows, name="one", **given):
    return Source(name, "uncertainty", "unseen", rows, **given)


def test_a_sample_is_the_same_each_time_and_keeps_both_classes():
    source = a_source([a_row(number, int(number >= 990)) for number in range(1000)])
    sample = source.of_most(50)
    assert sample == source.of_most(50)
    assert len(sample.rows) == 50
    assert sum(row.label for row in sample.rows) == 10


def test_a_sample_tears_no_pair_apart():
    rows = [a_row(number, number % 2, pair=str(number // 2)) for number in range(100)]
    kept = [row.pair for row in a_source(rows).of_most(21).rows]
    assert all(kept.count(pair) == 2 for pair in kept)
    assert 20 <= len(kept) <= 22


def test_few_rows_are_all_kept():
    rows = [a_row(number, number % 3 == 0) for number in range(30)]
    assert sorted(row.text for row in a_source(rows).of_most(500).rows) == sorted(row.text for row in rows)


def test_words_are_learnt_from_other_sources_alone():
    rows = [
        Row({}, f"nasty thing {number}" if number % 2 else f"fine thing {number}", number % 2) for number in range(40)
    ]
    source = a_source(rows)
    turned = a_source([Row({}, row.text, 1 - row.label) for row in rows], "the same texts")
    assert baselines.by_words(source, [turned]) is None
    words = baselines.by_words(source, [a_source([Row({}, f"{row.text} again", row.label) for row in rows], "other")])
    assert min(words[1::2]) > max(words[0::2])


def test_novel_words_are_those_that_the_context_lacks():
    mass = baselines.novel_words(["rivers flood", "dams break", "rivers run"])
    call = {"prompt": "What of dams?", "context": ["The river floods."]}
    assert mass.value(Row(call, "Flooding rivers and a dam.", 0)) == 0.0
    assert (
        mass.value(Row(call, "Flooding rivers and a volcano.", 0)) > mass.value(Row(call, "Rivers that break.", 0)) > 0
    )


def test_a_source_is_measured_by_the_way_that_calls_are_scored():
    rows = [a_row(number, number % 2) for number in range(60)]
    blind = Baseline("blind", lambda _: 0.0)
    found = measured(
        a_source(rows, baseline=blind), (), Scored(UNSURE), {"peer": {row.text: row.label for row in rows}}
    )
    assert (found["rows"], found["bad"], found["auroc"], found["not_scored"]) == (60, 30, 1.0, 0)
    assert found["baselines"]["blind"]["auroc"] == 0.5
    assert found["baselines"]["peer"]["auroc"] == 1.0
    assert found["slices"]["parity"]["0"]["rows"] == 30
    assert "TF-IDF of other sources" not in found["baselines"]


def test_rows_without_anything_to_judge_are_told_and_not_counted():
    rows = [*(a_row(number, number % 2) for number in range(40)), Row({"response": "no numbers"}, "no numbers", 1)]
    found = measured(a_source(rows), (), Scored(UNSURE), {})
    assert (found["rows"], found["not_scored"]) == (40, 1)


def test_each_call_is_scored_once():
    scored = Scored(UNSURE)
    rows = [a_row(number, 0) for number in range(10)]
    assert scored.of(rows, "uncertainty") == scored.of(rows + rows, "uncertainty")[10:]
    assert scored.rates()["calls"] == 10


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ((0, 10, "PERSON"), "hit"),
        ((0, 5, "PERSON"), "hit"),
        ((0, 4, "PERSON"), "missed"),
        ((0, 10, "ADDRESS"), "missed"),
        ((20, 30, "PERSON"), "missed"),
    ],
)
def test_a_span_counts_by_kind_and_by_half_of_its_characters(said, counted):
    counts = spans.Counts()
    spans.compare([said], [(0, 10, "PERSON")], counts)
    assert counts["PERSON", counted] == 1
    assert counts[said[2], "extra"] == (counted == "missed")


def test_two_spans_need_two_findings():
    told = spans.judged([[(0, 10, "IP")]], [personal_data.Tagged("10.20.30.4", ((0, 10, "IP"), (0, 10, "IP")))])
    assert told["all"] == {"precision": 1.0, "recall": 0.5, "f1": 0.667, "spans": 2}


def test_a_peer_without_a_model_of_names_is_not_judged_by_names():
    texts = [personal_data.Tagged("Ada at ada@example.com", ((0, 3, "PERSON"), (7, 22, "EMAIL")))]
    ours, theirs = spans.judged([texts[0].spans], texts), spans.judged([[(7, 22, "EMAIL")]], texts)
    source = {"name": "s", "standing": "held out", **ours, "peer": {"name": "Presidio 2", "model": "", **theirs}}
    page = report._spans({"labelled": [source], "clean": []})
    assert "| all (micro) | 2 | 1.000 | 1.000 | 1.000 | – | – | – |" in page
    assert "| PERSON | 1 | 1.000 | 1.000 | 1.000 | – | – | – |" in page
    assert f"| {report.FORMED} | 1 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in page


def test_the_sentences_of_the_report_are_no_templates_of_training():
    learnt = {_outline(each) for each in templates()}
    assert learnt
    assert not learnt & {_outline(each) for each in personal_data.TEMPLATES}


def _outline(template):
    return re.sub(r"\W+", " ", re.sub(r"\{\w+\}", "", template)).strip().lower()


def test_without_data_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["quality", str(tmp_path)])
    assert program.main() == 2
    assert "DATA=" in capsys.readouterr().err


def test_an_unknown_scorer_is_a_wrong_use(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["quality", "--scorers", "toxicity,charm"])
    with pytest.raises(SystemExit, match="2"):
        program.main()
    assert "charm" in capsys.readouterr().err


def test_the_committed_page_says_what_its_figures_say():
    found = json.loads(program.FIGURES.read_text())
    plotted = plots.shown(found)
    assert report.written(found, plotted) == program.PAGE.read_text()
    drawn = {path.stem for path in program.IMAGES.glob("*.svg")}
    assert drawn == {metric for metrics in plotted.values() for metric in metrics}


def test_every_source_of_the_page_is_of_a_known_metric_and_standing():
    found = json.loads(program.FIGURES.read_text())
    told = [source for each in found.values() for source in each["sources"]]
    assert set(found) == set(SETS)
    assert {source["metric"] for source in told} <= set(AVAILABLE)
    assert {source["standing"] for source in told} == {"unseen", "held out", "seen"}
    assert len({(source["metric"], source["name"]) for source in told}) == len(told)


def test_a_sample_does_not_depend_on_what_was_drawn_before():
    source = a_source([a_row(number, number % 2) for number in range(100)])
    random.seed(1)
    one = source.of_most(20)
    random.seed(2)
    assert one == source.of_most(20)
