"""`tidemark emit` against a server that speaks the gateway's wire."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.main import main


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        calls = json.loads(body)["calls"]
        self.server.calls.extend((self.headers["Authorization"], call) for call in calls)
        answer = json.dumps({"results": [self.verdict(call) for call in calls]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def verdict(self, call):
        bad = {"status": "rejected", "field": "app", "message": "is bad", "remedy": "another"}
        return {"call_id": call["call_id"], **(bad if call["app"] == "bad" else {"status": "stored"})}

    def log_message(self, *parts):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def emit(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TIDEMARK_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("TIDEMARK_VERSION", "v1")
    (tmp_path / "api-key").write_text("tdm_kept\n")

    def run(*arguments, port=server.server_port):
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(SystemExit) as ended:
            main(["emit", "--url", url, "--data", str(tmp_path), *arguments])
        return ended.value.code, capsys.readouterr()

    return run


def test_one_call(emit, server):
    code, printed = emit("--prompt", "Why?", "--response", "Because.", "--context", "Facts.")
    ((key, call),) = server.calls
    assert (code, printed.out.strip()) == (0, call["call_id"])
    assert key == "Bearer tdm_kept"
    assert (call["prompt"], call["response"], call["context"]) == ("Why?", "Because.", [{"text": "Facts."}])


def test_a_file_of_calls(emit, server, tmp_path):
    file, ledger = tmp_path / "calls.jsonl", tmp_path / "ledger"
    file.write_text("".join(json.dumps({"prompt": str(number)}) + "\n" for number in range(1500)) + "\n")
    code, printed = emit("--file", str(file), "--ledger", str(ledger), "--json")
    said = json.loads(printed.out)
    assert (code, said["acknowledged"], len(server.calls)) == (0, 1500, 1500)
    assert ledger.read_text().split() == said["call_ids"]


def test_a_rejected_call_is_an_error(emit):
    code, printed = emit("--prompt", "Why?", "--app", "bad")
    assert code == 1
    assert "rejected.jsonl" in printed.err


def test_a_gateway_out_of_reach_is_another(emit):
    code, printed = emit("--prompt", "Why?", "--json", port=9)
    assert code == 2
    assert json.loads(printed.out)["spooled"] == 1


def test_what_earlier_runs_left_in_the_spool_is_not_counted_as_acknowledged(emit):
    for number in (1, 2, 3):
        _, printed = emit("--prompt", "Why?", port=9)
        assert f"1 acknowledged; {number} wait in the spool, those of earlier runs too; 0 rejected" in printed.err


def test_time_that_runs_out_is_no_loss(emit):
    code, printed = emit("--prompt", "Why?", "--timeout-seconds", "0", "--json")
    assert (code != 1, json.loads(printed.out)["dropped"]) == (True, 0)  # it may be in time all the same


def test_lines_that_are_no_calls_are_told_and_skipped(emit, server, tmp_path):
    lines = (b'\xef\xbb\xbf{"prompt": "a"}', b'{"prompt": "\xfc"}', b"7", b"[" * 100_000, b'{"prompt": "b"}')
    (tmp_path / "calls.jsonl").write_bytes(b"\n".join(lines))
    code, printed = emit("--file", str(tmp_path / "calls.jsonl"), "--json")
    said = json.loads(printed.out)
    assert (code, said["acknowledged"], said["skipped"], len(said["call_ids"])) == (1, 2, 3, 2)
    assert [call["prompt"] for _, call in server.calls] == ["a", "b"]
    assert "line 2 is no JSON: 'utf-8'" in printed.err
    assert "line 3 is no JSON object" in printed.err
    assert "line 4 is no JSON: " in printed.err


@pytest.mark.parametrize("arguments", [(), ("--prompt", "p", "--file", "-"), ("--file", "missing.jsonl")])
def test_a_wrong_use(emit, arguments):
    assert emit(*arguments)[0] == 2
