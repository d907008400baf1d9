"""Lines of calls to lines of scores."""

import json
from datetime import UTC, datetime

import pytest

from cli.main import main
from services.shared.line_scoring import BadLine, chosen, score_lines
from services.shared.model_store import BUILTIN, ModelMissingError, find
from tests.support.models import MODELS, a_latency_scorer, shared_scorer

AT = datetime(2026, 1, 1, tzinfo=UTC)


def scored(lines, scorer, metrics):
    results = list(score_lines([json.dumps(line).encode() for line in lines], [scorer], metrics=metrics, at=AT))
    return [json.loads(result) for result in results if isinstance(result, bytes)]


def test_lines_count_from_one_and_keep_their_order():
    lines = [{"duration_seconds": number} for number in range(1, 150)]
    found = scored(lines, a_latency_scorer(), ["duration_seconds"])
    assert [(each["line"], each["value"]) for each in found] == [(number, float(number)) for number in range(1, 150)]


def test_bad_lines_are_named_and_the_others_scored():
    lines = [b'{"duration_seconds": 1}', b"nope", b"[]", b"", b'{"duration_seconds": "long"}', b'{"prompt": null}']
    results = list(score_lines(lines, [a_latency_scorer()], metrics=["duration_seconds"], at=AT))
    assert [result.line for result in results if isinstance(result, BadLine)] == [2, 3, 5]
    assert [json.loads(result)["line"] for result in results if isinstance(result, bytes)] == [1, 6]
    assert "$.duration_seconds" in next(
        result.reason for result in results if isinstance(result, BadLine) and result.line == 5
    )


@pytest.mark.parametrize("context", [["Threads wait."], "Threads wait.", [{"text": "Threads wait."}]])
def test_context_is_texts_or_documents(context):
    [found] = scored(
        [{"response": "Threads wait.", "context": context}], shared_scorer("hallucination"), ["hallucination"]
    )
    assert found["status"] == "scored"
    assert found["label"] is False


def test_evidence_is_start_end_and_kind():
    text = "You are an idiot."
    [found] = scored([{"response": text}], shared_scorer("toxicity"), ["response_toxicity"])
    assert found["evidence"] == [[0, len(text), "abuse"]]


def test_an_unknown_metric_is_refused_by_name():
    with pytest.raises(ValueError, match="no such metric: x"):
        chosen("a,x", ["a"])


def test_the_command_scores_a_file(tmp_path, monkeypatch, capsys):
    try:
        find(BUILTIN, MODELS)
    except ModelMissingError as missing:
        pytest.skip(str(missing))
    monkeypatch.setenv("TIDEMARK_MODELS", str(MODELS))
    (tmp_path / "in").write_text('{"prompt": "hi", "response": "You idiot.", "context": ["x"]}\nbad\n')
    with pytest.raises(SystemExit) as ended:
        main(["score", "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--metrics", "all"])
    assert ended.value.code == 0
    assert "line 2" in capsys.readouterr().err
    metrics = [json.loads(line)["metric"] for line in (tmp_path / "out").read_text().splitlines()]
    assert {"prompt_toxicity", "response_toxicity", "hallucination", "duration_seconds"} <= set(metrics)
