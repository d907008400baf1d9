"""Windows of texts, alone and beside a context."""

import numpy as np
import pytest

from services.shared.token_batches import MAX_CHARACTERS
from services.shared.windows import Pair, Windows
from tests.support.tiny_models import VOCABULARY, a_tokenizer

CLS, SEP = VOCABULARY["[CLS]"], VOCABULARY["[SEP]"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    a_tokenizer().save(str(path))
    return path


def cut(tokenizer, content, *, max_tokens=16, max_windows=64):
    pieces, judged = Windows(tokenizer, max_tokens=max_tokens, max_windows=max_windows).of([0], [content])
    return pieces, judged[0]


def test_a_pair_is_framed_as_its_tokenizer_frames_it(tokenizer):
    [piece], _ = cut(tokenizer, Pair("good river", "bad word"))
    expected = a_tokenizer().encode("good river", "bad word")
    assert piece.ids == expected.ids
    assert piece.types == expected.type_ids
    assert (
        piece.ids[piece.first : piece.first + piece.judged]
        == a_tokenizer().encode("bad word", add_special_tokens=False).ids
    )


def test_a_text_alone_is_framed_as_its_tokenizer_frames_it(tokenizer):
    [piece], _ = cut(tokenizer, "bad word")
    assert piece.ids == a_tokenizer().encode("bad word").ids


def test_spans_are_characters_of_the_judged_text(tokenizer):
    text = "Good  river 🌊 bad"
    _, spans = cut(tokenizer, Pair("word", text))
    assert [text[start:stop] for start, stop in spans] == ["Good", "river", "🌊", "bad"]


def test_a_text_too_long_is_cut_without_loss(tokenizer):
    pieces, spans = cut(tokenizer, "word " * 100)
    assert all(len(piece.ids) <= 16 for piece in pieces)
    assert sum(piece.judged for piece in pieces) == len(spans) == 100
    assert [piece.at for piece in pieces] == np.cumsum([0, *(piece.judged for piece in pieces)])[:-1].tolist()


def test_every_chunk_of_a_text_is_read_beside_every_window_of_its_context(tokenizer):
    pieces, spans = cut(tokenizer, Pair("river " * 40, "word " * 30))
    assert all(len(piece.ids) <= 16 for piece in pieces)
    chunks, windows = {piece.at for piece in pieces}, len(pieces) // len({piece.at for piece in pieces})
    assert len(spans) == 30
    assert windows * sum(16 - 3 - piece.judged for piece in pieces if piece.at == 0) >= 40
    assert len(pieces) == len(chunks) * windows


def test_a_short_text_beside_a_long_context_keeps_all_of_both(tokenizer):
    pieces, spans = cut(tokenizer, Pair(" ".join(map(str, range(10))) + " river" * 30 + " good", "bad word"))
    assert len(spans) == 2
    seen = {token for piece in pieces for token in piece.ids}
    assert {VOCABULARY["0"], VOCABULARY["9"], VOCABULARY["river"], VOCABULARY["good"]} <= seen


def test_windows_are_bounded(tokenizer):
    pieces, spans = cut(tokenizer, Pair("river " * 5000, "word " * 5000), max_windows=8)
    assert 0 < len(pieces) <= 8
    assert len(spans) == sum(piece.judged for piece in pieces)
    assert spans[0].tolist() == [0, 4]
    assert spans[-1].tolist() == [4999 * 5, 4999 * 5 + 4]


def test_of_a_megabyte_the_spans_still_are_those_of_the_original(tokenizer):
    text = "word " * 200_000 + "bad"
    _, spans = cut(tokenizer, text, max_windows=4)
    assert len(text) > MAX_CHARACTERS
    assert text[slice(*spans[-1])] == "bad"
    assert {text[start:stop] for start, stop in spans[-20:]} == {"word", "bad"}


@pytest.mark.parametrize(
    "content", ["", Pair("", ""), Pair("word", ""), Pair("", "word"), "\ud800", Pair("\udfff", "a\ud800b")]
)
def test_nothing_and_lone_surrogates_are_taken(tokenizer, content):
    pieces, spans = cut(tokenizer, content)
    assert len(pieces) == 1
    assert pieces[0].judged == len(spans)
