"""How much of a text a tokenizer knows."""

from services.shared.vocabulary import Words, known_of, words_of
from tests.support.tiny_models import a_tokenizer


def test_words_are_told_from_signs_and_from_what_is_unknown():
    texts = ["good river", "!?", "谢谢", "good, 谢", "a\ud800", ""]
    found = words_of(a_tokenizer(), texts)
    assert found == [Words(2, 0), Words(0, 0), Words(0, 2), Words(1, 1), Words(1, 0), Words(0, 0)]


def test_what_is_truncated_is_counted_too():
    tokenizer = a_tokenizer()
    tokenizer.enable_truncation(2)
    assert words_of(tokenizer, ["good bad river 谢 good"]) == [Words(4, 1)]


def test_what_is_unknown_becomes_a_blank_and_all_else_stays():
    texts = ["good,  River!", "谢谢", "good, 谢river", "谢 bad", "a\ud800", ""]
    assert known_of(a_tokenizer(), texts) == ["good,  River!", "  ", "good,  river", "  bad", "a?", ""]
