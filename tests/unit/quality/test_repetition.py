"""Loops are found and shown; what people write is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quality.quality.ngrams import codes, hashes
from services.quality.quality.repetition import repetition
from services.shared.scoring import Missing
from tests.support.messages import a_call

ANSWER = (
    "The capital of France is Paris. It lies on the Seine, has about two million inhabitants and has been the seat of "
    "the government for most of its history. The capital of Spain, by contrast, is Madrid, on the Manzanares."
)


NAMES = ("Anna", "Bert", "Cleo", "Dora", "Emil", "Fritz")
TOWNS = ("Paris", "Berlin", "Madrid", "Rome", "Vienna", "Lisbon")
RECORDS = [
    {"id": at, "name": name, "email": f"{name}@example.com", "city": town, "is_active": True, "plan": "basic"}
    for at, (name, town) in enumerate(zip(NAMES, TOWNS, strict=True))
]
ROWS = "".join(
    f"| {name} | lives in the city of | {town} | and is a customer |\n" for name, town in zip(NAMES, TOWNS, strict=True)
)
ASSERTIONS = "".join(f'self.assertEqual(parsed_name_of("{name}"), {at})\n' for at, name in enumerate(NAMES))
LINKS = "".join(f'<li class="nav-item"><a href="/{town}">{town}</a></li>\n' for town in TOWNS)
INSERTS = "".join(
    f"INSERT INTO customers (id, name, city, email, created_at) VALUES ({at}, '{each['name']}', '{each['city']}');\n"
    for at, each in enumerate(RECORDS)
)


def of(text):
    return repetition(a_call(response=text))


@pytest.mark.parametrize(
    "loop",
    [
        "I am sorry. " * 10,
        "".join(f"{number}. It is what it is. " for number in range(30)),
        "我不知道。" * 10,
        "a" * 100,
        "ha ha ha ha ha ha ha ha ha ha",
        "word\n\n\n" * 20,
        ANSWER * 3,
        "```python\n" + "print('hello world')\n" * 30 + "```",
        "```\n" + "I am sorry. " * 10,
        "| a | b |\n|---|---|\n" + "| Paris is nice | yes |\n" * 20,
        json.dumps(RECORDS[:1] * 20),
        json.dumps(RECORDS[:1] * 20, indent=2),
        "<ul>\n" + LINKS[:60].split("\n")[0] + "\n" + '<li class="nav-item">Paris</li>\n' * 20 + "</ul>",
    ],
)
def test_a_loop_is_flagged(loop):
    assert of(loop).value >= 0.5
    assert of(loop).evidence


@pytest.mark.parametrize("text", [ANSWER, "", "No.", "no no no", " " * 1000, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"])
def test_what_people_write_is_no_loop(text):
    assert of(text).value < 0.1


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        f"```json\n{json.dumps(RECORDS, indent=2)}\n```",
        f"| name | what | city | what |\n|---|---|---|---|\n{ROWS}",
        f"```python\n{ASSERTIONS}```",
        f"<ul>\n{LINKS}</ul>",
        f"```sql\n{INSERTS}```",
    ],
)
def test_records_and_lines_of_code_are_no_loop(text):
    assert of(text).value < 0.1
    assert not of(text).evidence


def test_a_loop_beside_a_table_is_flagged():
    assert of(f"{ROWS}\n" + "".join(f"{number}. It is what it is. " for number in range(60))).value >= 0.5


def test_the_evidence_is_the_loop_and_how_often_it_turns():
    [span, *_] = of(ANSWER + " " + "and so on " * 40).evidence
    assert span.kind == "loop"
    assert span.value == pytest.approx(40, abs=1)
    assert span.start == pytest.approx(len(ANSWER), abs=12)


def test_a_loop_at_the_end_of_an_answer_counts_by_its_share():
    assert of(ANSWER + " So on." * 3).value < 0.2
    assert of(ANSWER + " So on." * 300).value > 0.8


def test_without_a_response_there_is_nothing_to_judge():
    assert repetition(a_call(response=None)) == Missing("response")


@given(st.text(alphabet="ab\ud800\U0001f600", max_size=60), st.integers(1, 20))
def test_equal_ngrams_have_equal_hashes_and_others_do_not(text, size):
    found = hashes(codes(text), size).tolist()
    grams = [text[at : at + size] for at in range(len(text) - size + 1)]
    assert len(found) == len(grams)
    assert len(set(found)) == len(set(grams))
