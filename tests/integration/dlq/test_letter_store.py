"""Dead letters as ClickHouse gives them: those that are wanted, with bytes or without."""

import pytest

from schemas.topics import dead_letters
from services.embedded.letter_store import stored
from services.embedded.letters import Filter
from tests.support.engine import store, with_tables
from tests.unit.embedded_stack.test_letters import a_letter

pytestmark = pytest.mark.embedded
ODD = "it's a \\ 100 % 'Ä'\n{x:String}\tend"
LETTERS = [
    a_letter(1, message_value=b"\xff\x00"),
    a_letter(2, service="guard", stage="handle", reason=ODD),
    a_letter(3, topic="scores.v1", message_key=None, message_value=None, redrives=2),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with with_tables(tmp_path_factory.mktemp("engine")) as found:
        store(found.client(), dead_letters("writer"), LETTERS)
        yield found


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(), [1, 2, 3]),
        (Filter(service="guard"), [2]),
        (Filter(topic="scores.v1"), [3]),
        (Filter(reason=ODD.upper()), [2]),
        (Filter(reason="decodeerror: json"), [1, 3]),
        (Filter(ids=("00000001-0", "00000003")), [1, 3]),
        (Filter(ids=("9",)), []),
        (Filter(service="writer", ids=("00000002",)), []),
    ],
)
def test_what_is_wanted_comes_whole_and_the_oldest_first(engine, wanted, numbers):
    assert stored(engine.url, "tidemark", wanted) == [LETTERS[number - 1] for number in numbers]


def test_without_bytes_everything_else_is_there(engine):
    plain = [a_letter(1, message_key=None, message_value=None)]
    assert stored(engine.url, "tidemark", Filter(ids=("00000001",)), with_bytes=False) == plain


def test_what_is_not_wanted_does_not_leave_the_store(engine, monkeypatch):
    monkeypatch.setattr(Filter, "passes", lambda *_: True)
    assert stored(engine.url, "tidemark", Filter("guard", "calls.v1", ODD, ("00000002",))) == [LETTERS[1]]
