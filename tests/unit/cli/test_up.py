"""A start that fails is a sentence, in the foreground and as a process of its own."""

import pytest

from cli.main import main
from services.embedded import __main__ as alone
from services.embedded.broker import BrokerError
from services.embedded.preparation import PreparationError
from tests.unit.embedded_stack.stack_of_programs import free_base


@pytest.fixture(params=[BrokerError, PreparationError])
def failing(request, monkeypatch, tmp_path):
    def fail(*_):
        raise request.param("it does not listen: see broker.log")

    monkeypatch.setenv("TIDEMARK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIDEMARK_EMBEDDED_PORT_BASE", str(free_base()))
    monkeypatch.setattr("services.embedded.app.run", fail)
    monkeypatch.setattr(alone, "run", fail)


@pytest.mark.usefixtures("failing")
def test_in_the_foreground(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["up"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "tidemark: it does not listen: see broker.log\n"


@pytest.mark.usefixtures("failing")
def test_as_a_process_of_its_own(capsys):
    assert alone.main() == 2
    assert capsys.readouterr().err == "it does not listen: see broker.log\n"
