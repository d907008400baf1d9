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


@pytest.mark.parametrize("arguments", [["up", "--help"], ["--help"], []])
def test_only_the_module_that_is_asked_for_is_imported(arguments):
    program = (
        "import sys; from cli.main import COMMANDS, application, chosen\n"
        f"application(chosen({arguments!r}))\n"
        "print(*(name for name in COMMANDS if f'cli.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name for name in [chosen(arguments)] if name]
