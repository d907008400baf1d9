"""`tidemark verify` on what is no ledger."""

import pytest

from cli.main import main


def test_a_folder_is_no_ledger_and_nobody_is_asked(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--ledger", str(tmp_path)])
    assert (ended.value.code, "do not answer" in capsys.readouterr().err) == (2, False)
