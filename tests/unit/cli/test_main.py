"""The command line's door: lazy, complete, and clear about mistakes."""

import subprocess
import sys

import pytest

from cli.main import COMMANDS, chosen, main


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_help_names_every_subcommand(capsys):
    code, text = output(capsys, "--help")
    assert code == 0
    assert [name for name in COMMANDS if name not in text] == []


def test_an_unknown_subcommand_is_a_wrong_use(capsys):
    code, text = output(capsys, "swim")
    assert code == 2
    assert "swim" in text


@pytest.mark.parametrize(
    ("name", "value", "arguments", "code"),
    [
        ("TIDEMARK_CLICKHOUSE_URL", "u:hunter2@127.0.0.1:1", ["query", "SELECT 1"], 2),
        ("TIDEMARK_LOG_LEVEL", "LOUD", ["query", "SELECT 1"], 2),
        ("TIDEMARK_KAFKA_BOOTSTRAP", "foo:bar", ["topics", "plan"], 2),
        ("TIDEMARK_EMBEDDED_LOG_BYTES", "x", ["status"], 2),
        ("TIDEMARK_EMBEDDED_LOG_BYTES", "x", ["up"], 2),
        ("TIDEMARK_EMBEDDED_LOG_BYTES", "x", ["doctor"], 1),
    ],
)
def test_a_variable_that_is_wrong_is_named_without_its_password(monkeypatch, capsys, name, value, arguments, code):
    monkeypatch.setenv(name, value)
    ended, text = output(capsys, *arguments)
    assert (ended, f"{name} (" in text, "hunter2" in text, "input_value" in text) == (code, True, False, False)


def test_the_password_of_a_store_that_does_not_answer_is_not_printed(monkeypatch, capsys):
    async def silent(*_, with_bytes):
        raise TimeoutError

    monkeypatch.setattr("services.embedded.letters.on_topics", silent)
    monkeypatch.setenv("TIDEMARK_CLICKHOUSE_URL", "http://u:hunter2@127.0.0.1:1")
    code, text = output(capsys, "dlq", "list")
    assert (code, "ClickHouse at http://127.0.0.1:1 does not answer" in text, "hunter2" in text) == (2, True, False)


@pytest.mark.parametrize("base", ["99999", "80"])
def test_a_port_base_beyond_what_there_is_is_a_wrong_use(capsys, base):
    assert output(capsys, "doctor", "--port-base", base)[0] == 2


@pytest.mark.parametrize(("command", "code"), [("doctor", 1), ("up", 2)])
def test_a_file_as_data_directory_is_told(monkeypatch, tmp_path, capsys, command, code):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path / "file"))
    ended, text = output(capsys, command)
    assert (ended, str(tmp_path / "file") in text) == (code, True)


@pytest.mark.parametrize("arguments", [["up", "--help"], ["--help"], []])
def test_only_the_module_that_is_asked_for_is_imported(arguments):
    program = (
        "import sys; from cli.main import COMMANDS, application, chosen\n"
        f"application(chosen({arguments!r}))\n"
        "print(*(name for name in COMMANDS if f'cli.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name for name in [chosen(arguments)] if name]
