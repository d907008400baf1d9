"""Names and addresses with the tagger that ships, and what it must not take for either."""

import numpy as np
import pytest

from services.guard import model
from services.guard.guard.found import Found
from services.guard.guard.pii import KINDS, BuiltIn, personal_data, scorer
from services.guard.guard.tagger import CHUNK, Tagger, _spans
from services.guard.guard.tokens import tokens
from services.shared.errors import Unusable
from tests.support.messages import a_call


@pytest.fixture(scope="module")
def tagger():
    return Tagger(model.load(model.TAGGER))


def found(text, tagger):
    return [(text[each.start : each.end], each.kind) for each in personal_data(text, tagger)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "My name is David Miller and I live at 12 Oak Street, Springfield, IL 62704. Call 555-123-4567.",
            [
                ("David Miller", "PERSON"),
                ("12 Oak Street, Springfield, IL 62704", "ADDRESS"),
                ("555-123-4567", "PHONE"),
            ],
        ),
        ("hi its sara, my card is 4111111111111111", [("sara", "PERSON"), ("4111111111111111", "CREDIT_CARD")]),
        ("Room AB12 DE89 3704 0044 0532 0130 00.", [("DE89 3704 0044 0532 0130 00", "IBAN")]),
        ("Why is Kevin so impulsive?", [("Kevin", "PERSON")]),
        ("timestamps 1712345678 1712345999", []),
        ("id 123e4567-e89b-12d3-a456-426614174000", []),
        ("The function returns a list of tuples.", []),
        ("I love Paris in the spring, and Microsoft Word too.", []),
    ],
)
def test_names_addresses_and_numbers_in_a_sentence(tagger, text, expected):
    assert found(text, tagger) == expected


ORDINARY = [
    "Das Wetter ist heute schön.",
    "Il fait beau aujourd'hui.",
    "El tiempo es bueno hoy.",
    "O tempo está bom hoje.",
    "Oggi il tempo è bello.",
    "Het weer is mooi vandaag.",
    "Vädret är fint idag.",
    "Tänään on kaunis sää.",
    "Dziś jest ładna pogoda.",
    "Bugün hava çok güzel.",
    "Hôm nay trời đẹp.",
    "Cuaca hari ini bagus.",
    "Сегодня хорошая погода.",
    "Сьогодні гарна погода.",
    "今天天气很好",
    "今日は天気がいいです。",
    "오늘 날씨가 좋습니다.",
    "الطقس جميل اليوم.",
    "आज मौसम अच्छा है।",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_sentence_of_another_language_is_not_flagged(tagger, text):
    prompt, _ = scorer(BuiltIn(tagger)).score([a_call(prompt=text)])
    assert not prompt.label


def test_a_span_is_as_sure_as_its_words():
    text, barely = "Ann Lee", np.array([[0.5, 0.45, 0.03, 0.02]] * 2, np.float32)
    assert list(_spans(text, tokens(text), barely)) == [Found(0, 7, "PERSON", pytest.approx(0.45))]


def test_a_word_is_tagged_alike_wherever_a_long_text_is_cut(tagger):
    words = ["call", "Maria", "Lopez", "at", "5", "Elm", "Street", "."] * (CHUNK // 4)
    whole = tagger.probabilities(words)
    part = tagger.probabilities(words[: CHUNK // 2])
    assert len(whole) == len(words)
    assert np.abs(whole[: CHUNK // 2 - 8] - part[:-8]).max() < 1e-4
    period = whole[8 : 8 + 8]
    assert np.abs(whole[CHUNK - 8 : CHUNK] - period).max() < 1e-4


def test_a_kind_that_is_not_counted_is_evidence_and_no_risk(tagger):
    counted = scorer(BuiltIn(tagger), [kind for kind in KINDS if kind != "PERSON"])
    prompt, _ = counted.score([a_call(prompt="My name is David Miller.")])
    assert (prompt.value, prompt.label, [span.kind for span in prompt.evidence]) == (0.0, False, ["PERSON"])
    assert counted.version != scorer(BuiltIn(tagger)).version


def test_a_tagger_is_written_and_read_back_the_same(tagger, tmp_path):
    path = tmp_path / "tagger.safetensors"
    model.save(tagger.weights, path)
    assert path.read_bytes() == model.TAGGER.read_bytes()


def test_what_is_no_tagger_no_list_and_no_directory_is_refused_with_the_remedy(tmp_path):
    wrong = tmp_path / "file"
    wrong.write_text("acme: 7")
    with pytest.raises(Unusable, match="TIDEMARK_GUARD_TAGGER"):
        model.load(wrong)
    with pytest.raises(Unusable, match="TIDEMARK_GUARD_CANARIES"):
        model.canaries(wrong)
    with pytest.raises(Unusable, match="TIDEMARK_GUARD_PROTECTED_TEXTS"):
        model.protected(wrong)


def test_canaries_and_protected_texts_are_read_from_disk(tmp_path):
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a.txt").write_text("one two three four five six seven eight nine")
    listed = tmp_path / "canaries.yaml"
    listed.write_text("acme: [zebra-91-kite]\n")
    assert model.protected(tmp_path / "plans").names == ["a.txt"]
    assert model.canaries(listed).leaked("zebra 91 kite", "acme")[0].kind == "own_tenant"
