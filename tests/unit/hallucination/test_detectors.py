"""Published kinds of detectors, as small random models that these tests write."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
)

from schemas.messages import Document
from services.hallucination.detector_models import TransformerDetector, label_of
from services.hallucination.detectors import DetectorScorer, Marked
from services.shared.errors import Unusable
from services.shared.torch_classifier import ForeignModelError
from tests.support.messages import a_call

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LETTERS = "abcdefghijklmnopqrstuvwxyz."
TOKENS = (*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS))
VOCABULARY = {token: number for number, token in enumerate(TOKENS)}
NLI = {0: "contradiction", 1: "entailment", 2: "neutral"}


def a_detector(folder, kind, labels, **config):
    torch.manual_seed(3)
    tokenizer = Tokenizer(models.WordPiece(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    names = {"id2label": labels, "label2id": {name: number for number, name in labels.items()}}
    written = BertConfig(
        vocab_size=len(VOCABULARY), max_position_embeddings=64, initializer_range=0.3, **sizes, **names, **config
    )
    kind(written).eval().save_pretrained(folder)
    return TransformerDetector.load(str(folder))


@pytest.fixture(scope="module")
def nli(tmp_path_factory):
    return a_detector(tmp_path_factory.mktemp("nli"), BertForSequenceClassification, NLI)


@pytest.fixture(scope="module")
def hhem(tmp_path_factory):
    return a_detector(tmp_path_factory.mktemp("hhem"), BertForSequenceClassification, {0: "LABEL_0"})


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    return a_detector(
        tmp_path_factory.mktemp("tagger"), BertForTokenClassification, {0: "supported", 1: "hallucinated"}
    )


@pytest.fixture(params=["nli", "hhem", "tagger"])
def detector(request):
    return request.getfixturevalue(request.param)


def by_hand(detector, context, claim):
    encoded = detector._tokenizer(context, claim, return_tensors="pt")
    with torch.inference_mode():
        return encoded, detector._classifier.model(**encoded).logits[0]


def test_of_nli_the_risk_is_what_entailment_leaves(nli):
    _, logits = by_hand(nli, "abc abd", "bad")
    [[found]] = nli.judge([("abc abd", "bad")])
    assert found.risk == pytest.approx(float(1 - torch.softmax(logits, 0)[1]), abs=1e-5)


def test_of_a_single_output_the_risk_is_what_consistency_leaves(hhem):
    _, logits = by_hand(hhem, "abc abd", "bad")
    [[found]] = hhem.judge([("abc abd", "bad")])
    assert found.risk == pytest.approx(float(1 - torch.sigmoid(logits[0])), abs=1e-5)


def test_a_token_classifier_marks_the_tokens_of_the_claim(tagger):
    encoded, logits = by_hand(tagger, "abc", "bad egg")
    [found] = tagger.judge([("abc", "bad egg")])
    own = [at for at, each in enumerate(encoded.sequence_ids(0)) if each == 1]
    assert [(each.start, each.end) for each in found] == [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)]
    assert [each.risk for each in found] == pytest.approx(torch.softmax(logits, 1)[own, 1].tolist(), abs=1e-5)


@pytest.mark.parametrize(("labels", "read"), [
    (("supported", "hallucinated"), 1), (("hallucinated", "supported"), 0), (("unsupported", "supported"), 0),
    (("not_hallucinated", "hallucinated"), 1), (("hallucinated", "not_hallucinated"), 0),
    (("no-hallucination", "hallucination"), 1), (("non-hallucinated", "LABEL_1"), 1),
    (("free_of_hallucination", "hallucination"), 1), (("is_hallucinated", "is_fine"), 0), (("LABEL_0", "LABEL_1"), 1),
])  # fmt: skip
def test_of_two_labels_that_of_the_unsupported_is_read(labels, read):
    assert label_of(SimpleNamespace(kind="token", labels=labels), "x") == read


def test_a_long_context_supports_where_any_window_does(nli):
    short, long = "cab", "cab " + "fed " * 60
    [[alone]] = nli.judge([(short, "bad")])
    [[among]] = nli.judge([(long, "bad")])
    windows = nli._windows(long, "bad")
    assert len(windows["input_ids"]) > 2
    risks = 1 - nli._probabilities(windows)
    assert among.risk == pytest.approx(float(risks.min()), abs=1e-5)
    assert among.risk != alone.risk


def test_a_long_response_is_read_whole(tagger):
    response = " ".join(["egg"] * 60)
    [found] = tagger.judge([("abc", response)])
    assert (found[0].start, found[-1].end) == (0, len(response))


def test_every_detector_scores_what_it_is_given(detector):
    scorer = DetectorScorer(detector)
    texts = ["", " ", "bad egg.", "bad egg. a cab! " * 20, "\ud800", "漢字", "😀", "x" * 2000, "\u200b"]
    calls = [a_call(response=text, context=(Document(text="a cab."),)) for text in texts]
    found = list(scorer.score(calls))
    assert found == list(scorer.score(calls))
    assert [score.status for score in found] == ["scored"] * len(texts)
    for score, text in zip(found, texts, strict=True):
        assert score.label == (score.value >= 0.5)
        assert all(0 <= span.start < span.end <= len(text) for span in score.evidence)
        assert bool(score.evidence) == score.label


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"context": ()}, "context"), ({"response": None, "context": (Document(text="a"),)}, "response")],
)
def test_nothing_to_judge_says_what_is_missing(detector, fields, reason):
    [found] = DetectorScorer(detector).score([a_call(**fields)])
    assert (found.status, found.reason) == ("not_scored", reason)


class Fixed:
    """Marks what it is told to."""

    version = "fixed"
    by_sentence = False

    def __init__(self, *marks):
        self._marks = marks

    def judge(self, pairs):
        return [[Marked(*mark) for mark in self._marks] for _ in pairs]


def test_neighbouring_tokens_are_one_span_with_the_highest_risk():
    scorer = DetectorScorer(Fixed((0, 2, 0.6), (2, 4, 0.9), (5, 8, 0.7), (9, 10, 0.1), (12, 14, 0.5)))
    [found] = scorer.score([a_call(response="abcd efg h  ij", context=(Document(text="a"),))])
    assert found.value == 0.9
    assert [(span.start, span.end, span.value) for span in found.evidence] == [(0, 8, 0.9), (12, 14, 0.5)]


def test_the_version_is_a_hash_of_the_weights_and_the_output_that_is_read(nli, hhem):
    assert nli.version != hhem.version
    digest, label = nli.version.rsplit("-", 1)[1].split(".")
    assert digest.isalnum()
    assert label == "1"


def test_models_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(ForeignModelError, match="BertForMaskedLM, not one for classification"):
        a_detector(tmp_path, BertForMaskedLM, {0: "a", 1: "b"})
    with pytest.raises(ForeignModelError, match="known are token classifiers"):
        a_detector(tmp_path, BertForSequenceClassification, {0: "good", 1: "bad"})


def test_a_folder_without_safetensors_is_refused(tmp_path):
    with pytest.raises(Unusable, match=r"no model\.safetensors"):
        TransformerDetector.load(str(tmp_path))


def test_two_outputs_of_entailment_read_the_plain_one(tmp_path):
    binary = a_detector(tmp_path, BertForSequenceClassification, {0: "not_entailment", 1: "entailment"})
    _, logits = by_hand(binary, "abc", "bad")
    [[found]] = binary.judge([("abc", "bad")])
    assert found.risk == pytest.approx(float(1 - np.exp(logits[1]) / np.exp(logits).sum()), abs=1e-5)
