"""`tidemark score`: resumable, whole or not there, and clear about what was skipped."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from cli.main import main
from services.embedded.score_file import Busy, Run
from services.embedded.scorers import AVAILABLE, NAMED
from services.shared.line_scoring import BATCH
from tests.support.chat_server import ChatServer
from tests.support.models import a_latency_scorer, a_repeat_scorer

AT = datetime(2026, 1, 1, tzinfo=UTC)
TIDEMARK = (sys.executable, "-c", "from cli.main import main; main()")
TIMES = "duration_seconds,tokens_per_second"


class Interrupted:
    """A scorer that is interrupted at its nth batch."""

    def __init__(self, at_batch, inner=None):
        self.inner, self.left = inner or a_latency_scorer(), at_batch
        self.metrics, self.evaluator, self.version = self.inner.metrics, self.inner.evaluator, self.inner.version

    def score(self, calls):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return self.inner.score(calls)


@pytest.fixture(autouse=True)
def checkpoints_at_once(monkeypatch):
    monkeypatch.setattr("services.embedded.score_file.CHECKPOINT_SECONDS", 0.0)


def lines(count, first=1):
    return [json.dumps({"duration_seconds": n}) if n % 10 else "no call" for n in range(first, first + count)]


def text(count):
    return "\n".join(lines(count)).encode() + b"\n"


def a_run(source, output, scorer=None, *, metrics=("duration_seconds",), bad=None):
    bad = [] if bad is None else bad
    scorers = [scorer or a_latency_scorer()]
    return Run(io.BytesIO(source), output, scorers, metrics, AT, bad.append, lambda done: None)


def interrupted(source, output, at_batch=4):
    with pytest.raises(KeyboardInterrupt):
        a_run(source, output, Interrupted(at_batch)).complete()
    return output.with_name(output.name + ".partial")


def test_what_was_interrupted_goes_on_without_a_line_lost_or_twice(tmp_path):
    source, whole, output = text(500), tmp_path / "whole", tmp_path / "out"
    expected = a_run(source, whole).complete()
    partial = interrupted(source, output)
    assert not output.exists()
    assert partial.exists()
    run = a_run(source, output)
    assert run.complete() == expected
    assert run.resumed_after == 3 * BATCH
    assert output.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "out"}


def asked_again(count, said="It is red."):
    """Seven questions, asked in turn; every third answer is another one."""
    asked = [{"prompt": f"Question {n % 7}", "response": said if n % 3 else f"Number {n}."} for n in range(count)]
    return "".join(json.dumps(line) + "\n" for line in asked).encode()


def test_a_scorer_that_remembers_is_told_what_was_scored_before(tmp_path):
    source, whole, output = asked_again(500), tmp_path / "whole", tmp_path / "out"
    metrics = ("non_determinism",)
    a_run(source, whole, a_repeat_scorer(), metrics=metrics).complete()
    with pytest.raises(KeyboardInterrupt):
        a_run(source, output, Interrupted(4, a_repeat_scorer()), metrics=metrics).complete()
    run = a_run(source, output, a_repeat_scorer(), metrics=metrics)
    run.complete()
    assert run.resumed_after == 3 * BATCH
    assert output.read_bytes() == whole.read_bytes()
    assert b"earlier_answer" not in b"".join(whole.read_bytes().splitlines()[7:])


def test_what_it_was_told_of_another_input_is_forgotten(tmp_path):
    other, whole, output = asked_again(500, "It is blue."), tmp_path / "whole", tmp_path / "out"
    metrics = ("non_determinism",)
    a_run(other, whole, a_repeat_scorer(), metrics=metrics).complete()
    with pytest.raises(KeyboardInterrupt):
        a_run(asked_again(500), output, Interrupted(4, a_repeat_scorer()), metrics=metrics).complete()
    run = a_run(other, output, a_repeat_scorer(), metrics=metrics)
    run.complete()
    assert (run.resumed_after, output.read_bytes()) == (0, whole.read_bytes())


def test_what_was_written_after_the_last_checkpoint_is_cut(tmp_path):
    source, whole, output = text(500), tmp_path / "whole", tmp_path / "out"
    a_run(source, whole).complete()
    with interrupted(source, output).open("ab") as partial:
        partial.write(b'{"line": 1, "half a')
    a_run(source, output).complete()
    assert output.read_bytes() == whole.read_bytes()


def test_a_checkpoint_before_anything_is_written_again_says_where_the_output_was_cut(tmp_path):
    whole, output = tmp_path / "whole", tmp_path / "out"
    good, bad = text(3 * BATCH), b"no call\n" * BATCH
    source = good + bad + good
    a_run(source, whole).complete()
    with interrupted(source, output).open("ab") as partial:
        partial.write(b'{"line": 1, "half a')
    interrupted(source, output, at_batch=2)
    run = a_run(source, output)
    run.complete()
    assert (run.resumed_after, output.read_bytes()) == (4 * BATCH, whole.read_bytes())


@pytest.mark.parametrize(
    ("source", "metrics"),
    [(b'{"duration_seconds": 7}\n' + text(500), ("duration_seconds",)), (text(500), ("tokens_per_second",))],
    ids=["another input", "other metrics"],
)
def test_another_order_begins_anew(tmp_path, source, metrics):
    interrupted(text(500), tmp_path / "out")
    run = a_run(source, tmp_path / "out", metrics=metrics)
    tally = run.complete()
    assert (run.resumed_after, tally.lines) == (0, len(source.splitlines()))
    first = json.loads((tmp_path / "out").read_text().splitlines()[0])
    assert first["metric"] == metrics[0]


def test_two_runs_of_one_output_are_refused(tmp_path):
    refused = []

    def another(line):
        with pytest.raises(Busy):
            a_run(text(200), tmp_path / "out").complete()
        refused.append(line)

    first = a_run(text(200), tmp_path / "out")
    first.bad = another
    assert first.complete().skipped == len(refused) == 20


def test_bad_lines_are_counted_over_the_interruption(tmp_path):
    interrupted(text(500), tmp_path / "out")
    bad = []
    tally = a_run(text(500), tmp_path / "out", bad=bad).complete()
    assert (tally.lines, tally.calls, tally.skipped, tally.scores) == (500, 450, 50, 450)
    assert min(line.line for line in bad) > 3 * BATCH


def test_a_call_that_a_scorer_cannot_take_fails_alone(tmp_path):
    scorer = a_latency_scorer()

    class Picky(Interrupted):
        def score(self, calls):
            if any(call.duration_seconds == 5 for call in calls):
                raise ValueError("secret")
            return scorer.score(calls)

    tally = a_run(text(100), tmp_path / "out", Picky(0)).complete()
    assert tally.statuses == {"scored": 89, "failed": 1}
    failed = [
        each for each in map(json.loads, (tmp_path / "out").read_text().splitlines()) if each["status"] == "failed"
    ]
    assert [(each["line"], each["reason"]) for each in failed] == [(5, "ValueError")]


@pytest.fixture
def run(capsysbinary):
    def told(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["score", *arguments])
        printed = capsysbinary.readouterr()
        return ended.value.code, printed.out.decode(), printed.err.decode()

    return told


def test_the_summary_says_what_became_of_the_lines(run, tmp_path):
    (tmp_path / "in").write_bytes(text(100))
    files = ("--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"))
    code, out, err = run(*files, "--metrics", TIMES, "--json")
    said = json.loads(out)
    assert (code, said["lines"], said["calls"], said["skipped"], said["scores"]) == (0, 100, 90, 10, 180)
    assert said["statuses"] == {"scored": 90, "not_scored": 90}
    assert said["evaluators"] == {"latency": a_latency_scorer().version}
    assert "line 10: " in err
    assert run(*files, "--metrics", TIMES, "--strict")[0] == 1


def test_standard_input_and_output(tmp_path):
    arguments = ("--input", "-", "--output", "-", "--metrics", "duration_*", "--json")
    command = [*TIDEMARK, "score", *arguments]
    done = subprocess.run(command, input=text(20), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 18
    assert json.loads(done.stderr.splitlines()[-1])["skipped"] == 2


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(tmp_path):
    count = 3000
    files = ("--input", "-", "--output", str(tmp_path / "out"))
    command = [*TIDEMARK, "score", "--metrics", "duration_seconds", "--json", *files]
    killed = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    given = iter(lines(count))
    deadline = time.monotonic() + 200
    while not (tmp_path / "out.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    while not (tmp_path / "out.state").exists() and time.monotonic() < deadline:
        killed.stdin.write("".join(f"{line}\n" for line in islice(given, BATCH)).encode())
        killed.stdin.flush()
        time.sleep(0.2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    killed.stdin.close()
    assert not (tmp_path / "out").exists()
    done = subprocess.run(command, input=text(count), capture_output=True, check=True)
    assert json.loads(done.stdout)["resumed_after_line"] > 0
    found = [json.loads(line)["line"] for line in (tmp_path / "out").read_text().splitlines()]
    assert found == [number for number in range(1, count + 1) if number % 10]


@pytest.fixture
def judged(tmp_path):
    """A file of two calls that a judge can judge, and the options that have it judged."""
    call = {"prompt": "When?", "context": ["It was opened in 1932."], "response": "In 1932. It is painted grey."}
    (tmp_path / "in").write_text(f"{json.dumps(call)}\n" * 2)
    return ("--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--metrics", "judged_hallucination")


def test_a_judge_that_is_named_judges_every_call(run, judged, tmp_path, monkeypatch):
    server = ChatServer()
    monkeypatch.setenv("TIDEMARK_HALLUCINATION_JUDGE_URL", server.url)
    monkeypatch.setenv("TIDEMARK_HALLUCINATION_JUDGE_MODEL", "judge-1")
    try:
        assert run(*judged)[0] == 0
    finally:
        server.stop()
    found = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [(each["line"], each["metric"], each["value"]) for each in found] == [
        (line, "judged_hallucination", 0.9) for line in (1, 2)
    ]
    assert found[0]["evidence"] == [[15, 27, "unsupported"]]


def test_calls_beyond_the_hourly_budget_wait_for_it(run, judged, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    server = ChatServer()
    monkeypatch.setenv("TIDEMARK_HALLUCINATION_JUDGE_URL", server.url)
    monkeypatch.setenv("TIDEMARK_HALLUCINATION_JUDGE_MODEL", "judge-1")
    monkeypatch.setenv("TIDEMARK_HALLUCINATION_JUDGE_HOURLY", "1")
    try:
        assert run(*judged)[0] == 0
    finally:
        server.stop()
    found = [json.loads(line)["value"] for line in (tmp_path / "out").read_text().splitlines()]
    assert (found, [round(each, -2) for each in waits if each > 60]) == ([0.9, 0.9], [3600])


def test_a_judge_without_an_endpoint_says_what_to_set(run, judged):
    code, _, err = run(*judged)
    assert code == 2
    assert "TIDEMARK_HALLUCINATION_JUDGE_URL" in err


def test_the_list_names_every_metric(run):
    code, out, _ = run("--list")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, [*AVAILABLE, *NAMED])
    listed = json.loads(run("--list", "--json")[1])
    assert {"name", "unit", "worse", "minimum", "maximum", "threshold", "evaluator"} <= set(listed[0])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--input", "-"),
        ("--input", "missing", "--output", "-"),
        ("--input", "-", "--output", "-", "--metrics", "x"),
    ],
)
def test_a_wrong_use(run, arguments):
    assert run(*arguments)[0] == 2


def test_a_price_list_that_is_not_there_is_told_with_its_variable(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEMARK_LATENCY_PRICES", str(tmp_path / "none.yaml"))
    (tmp_path / "in").write_bytes(text(5))
    code, _, err = run("--input", str(tmp_path / "in"), "--output", "-", "--metrics", TIMES)
    assert (code, "unset TIDEMARK_LATENCY_PRICES" in err) == (2, True)


@pytest.mark.parametrize("output", ["in", "./in", "link"])
def test_an_output_that_is_the_input_is_refused_and_the_input_stays(run, tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_bytes(text(5))
    (tmp_path / "link").symlink_to("in")
    code, _, err = run("--input", "in", "--output", output, "--metrics", TIMES)
    assert (code, (tmp_path / "in").read_bytes()) == (2, text(5))
    assert "name another file" in err


def test_a_folder_as_output_is_refused_before_anything_is_scored(run, tmp_path):
    (tmp_path / "in").write_bytes(text(5))
    code, _, err = run("--input", str(tmp_path / "in"), "--output", str(tmp_path), "--metrics", TIMES)
    assert (code, "directory" in err, list(tmp_path.parent.glob("*.partial"))) == (2, True, [])


def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(run, tmp_path):
    (tmp_path / "in").write_bytes(text(5))
    (tmp_path / "real").write_text("old")
    (tmp_path / "out").symlink_to("real")
    files = ("--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"))
    assert run(*files, "--metrics", "duration_seconds")[0] == 0
    assert (tmp_path / "out").is_symlink()
    assert len((tmp_path / "real").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "arguments", [("score", "--input", "-"), ("rescore", "--from", "2026-01-01")], ids=lambda arguments: arguments[0]
)
def test_a_pipe_as_output_is_refused_and_stays(capsys, tmp_path, arguments):
    os.mkfifo(tmp_path / "out")
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--output", str(tmp_path / "out")])
    assert (ended.value.code, "is no regular file" in capsys.readouterr().err) == (2, True)
    assert (tmp_path / "out").is_fifo()


def test_a_full_disk_behind_standard_output_is_told():
    with Path("/dev/full").open("wb") as full:
        command = [*TIDEMARK, "score", "--input", "-", "--output", "-", "--metrics", "duration_seconds"]
        done = subprocess.run(command, input=text(5), stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (2, [b"tidemark: score: [Errno 28] No space left on device"])


def test_a_byte_order_mark_costs_no_line(run, tmp_path):
    (tmp_path / "in").write_bytes(b"\xef\xbb\xbf" + text(5))
    code, out, err = run("--input", str(tmp_path / "in"), "--output", "-", "--metrics", "duration_seconds")
    assert (code, [json.loads(line)["line"] for line in out.splitlines()]) == (0, [1, 2, 3, 4, 5])
    assert "5 calls" in err


def test_nothing_but_bad_lines_is_an_error(run, tmp_path):
    (tmp_path / "in").write_text("a\nb\n")
    files = ("--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"))
    assert run(*files, "--metrics", "duration_seconds")[0] == 1
