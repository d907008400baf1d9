"""`tidemark compare`: what two evaluators agree on."""

import json

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from cli.main import main
from services.embedded.agreement import compare, read


def a_line(line, value, version="1", metric="response_toxicity", **fields):
    status = "not_scored" if value is None else "scored"
    label = None if value is None else value >= 0.5
    row = {"line": line, "metric": metric, "status": status, "value": value, "label": label, "evaluator": "toxicity"}
    return json.dumps({**row, "evaluator_version": version, "evidence": [], **fields}).encode()


def rows(values, version="1", **fields):
    return read([a_line(number, value, version, **fields) for number, value in enumerate(values, 1)])


def test_numbers_are_those_of_the_reference_libraries():
    random = np.random.default_rng(1)
    one = random.random(300)
    two = np.clip(one + 0.2 * random.standard_normal(300), 0, 1)
    (found,) = compare(rows(one.tolist()), rows(two.tolist(), "2"))
    assert found.rank_correlation == pytest.approx(stats.spearmanr(one, two).statistic)
    assert found.kappa == pytest.approx(cohen_kappa_score(one >= 0.5, two >= 0.5))
    assert found.label_agreement == pytest.approx(np.mean((one >= 0.5) == (two >= 0.5)))
    assert found.mean_absolute_difference == pytest.approx(np.abs(one - two).mean())
    assert found.became_labelled - found.lost_label == int((two >= 0.5).sum()) - int((one >= 0.5).sum())
    assert found.evaluators == ("toxicity 1", "toxicity 2")
    gaps = [abs(pair.second - pair.first) for pair in found.worst]
    assert gaps == sorted(np.abs(one - two), reverse=True)[:5]


def test_what_only_one_scored_is_counted_and_not_compared():
    (found,) = compare(rows([0.1, None, 0.9, 0.2]), rows([0.2, 0.5, None]))
    assert (found.scored_by_both, found.changed_status, found.only_first, found.only_second) == (1, 2, 1, 0)
    assert found.rank_correlation is None


def test_an_evaluator_agrees_with_itself():
    same = rows([0.1, 0.6, 0.9])
    (found,) = compare(same, same)
    assert (found.rank_correlation, found.label_agreement, found.kappa, found.largest_difference) == (1, 1, 1, 0)


def test_calls_are_told_by_their_ids_where_lines_have_them():
    first = read([a_line(None, 0.1, call_id="x"), a_line(None, 0.2, call_id="y")])
    (found,) = compare(first, read([a_line(None, 0.4, call_id="y")]))
    assert [pair.call for pair in found.worst] == ["y"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b"{}"], "line 1 is no score"),
        ([a_line(None, 0.1)], "names no call"),
        ([a_line(1, 0.1), a_line(1, 0.2)], "line 2 repeats a call"),
    ],
)
def test_what_is_no_file_of_scores_is_refused_with_the_line(lines, said):
    with pytest.raises(ValueError, match=said):
        read(lines)


@pytest.fixture
def run(tmp_path, capsys):
    def told(first, second, *arguments):
        for name, values in (("a", first), ("b", second)):
            lines = [a_line(number, value, name) for number, value in enumerate(values, 1)]
            (tmp_path / name).write_bytes(b"\n".join(lines))
        with pytest.raises(SystemExit) as ended:
            main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), *arguments])
        return ended.value.code, capsys.readouterr().out

    return told


def test_the_report_names_flips_and_the_worst_calls(run):
    code, out = run([0.1, 0.7, 0.9], [0.8, 0.6, 0.9])
    assert code == 0
    assert "1 became labelled, 0 lost it" in out
    assert "call 1: 0.1 to 0.8" in out


@pytest.mark.parametrize(("second", "code"), [(0.1004, 0), (0.2, 1), (None, 1)])
def test_a_difference_beyond_what_is_allowed_is_an_error(run, second, code):
    assert run([0.1], [second], "--within", "0.001", "--json")[0] == code


def test_a_call_that_only_one_file_has_is_beyond_what_is_allowed(run):
    assert run([0.1], [0.1, 0.2], "--within", "1")[0] == 1
    assert run([0.1, 0.2], [0.1], "--within", "1")[0] == 1


def test_nothing_in_common_is_a_wrong_use(run):
    assert run([0.1], [0.2], "--metrics", "other") == (2, "")


def test_blanks_between_metrics_are_no_part_of_their_names(run):
    assert run([0.1], [0.1], "--metrics", " response_toxicity ,")[0] == 0


@pytest.mark.parametrize("asked", [(), ("--metrics", "misspelt, rare, response_toxicity")])
def test_metrics_that_cannot_be_compared_hide_no_others(tmp_path, capsys, asked):
    for name in ("a", "b"):
        lines = [a_line(None, 0.5, call_id="both"), a_line(None, 0.5, metric="rare", call_id=name)]
        (tmp_path / name).write_bytes(b"\n".join(lines))
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json", *asked])
    printed = capsys.readouterr()
    assert ([each["metric"] for each in json.loads(printed.out)], ended.value.code) == (["response_toxicity"], 2)
    assert "no call in common with rare" in printed.err
    assert ("misspelt: not in both files; both have rare, response_toxicity" in printed.err) is bool(asked)


@pytest.mark.parametrize("arguments", [(), ("--within", "0.1"), ("--metrics", "response_toxicity", "--within", "1")])
def test_a_metric_without_a_call_in_both_files_is_no_agreement(tmp_path, capsys, arguments):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(a_line(None, 0.5, call_id=name))
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), *arguments])
    assert (ended.value.code, "no call in common with response_toxicity" in capsys.readouterr().err) == (2, True)
