"""BLEU of a response against its reference."""

from functools import cache
from importlib.metadata import version as installed
from typing import Any

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.corpus import BLEU_ORDER
from services.shared.scoring import Measured, Metric, Result

BLEU = Metric("bleu", unit="BLEU", worse="lower", maximum=100.0)


def bleu(call: Call) -> Result:
    """Sentence BLEU in [0, 100], as sacrebleu's `sentence_bleu` gives it, with the statistics that add.

    Exponential smoothing, effective order, tokenizer 13a: words of languages that write spaces. Not for comparing
    single sentences: it is made for a corpus, which is what windows give (`corpus`).
    """
    return compared(call, _compare)


def version() -> str:
    """Signature of sacrebleu with these settings."""
    return f"bleu:#:1|c:mixed|e:yes|tok:13a|s:exp|v:{installed('sacrebleu')}"


def _compare(response: str, reference: str) -> Result:
    metric, tokenizers = _sacrebleu()
    found = metric.sentence_score(response, [reference])
    for tokenizer in tokenizers:  # each keeps its last 65,536 texts: gigabytes, where they are long
        tokenizer.__call__.cache_clear()
    statistics = {"hypothesis_length": float(found.sys_len), "reference_length": float(found.ref_len)}
    for n in range(1, BLEU_ORDER + 1):
        statistics[f"matches_{n}"] = float(found.counts[n - 1])
        statistics[f"hypothesis_{n}"] = float(found.totals[n - 1])
    return Measured(min(found.score, 100.0), statistics=statistics)


@cache
def _sacrebleu() -> tuple[Any, tuple[Any, ...]]:
    """The metric, and the tokenizers that it goes through; 0.2 s, which only a reference is worth."""
    from sacrebleu.metrics.bleu import BLEU as SACREBLEU  # noqa: PLC0415 - see above
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a  # noqa: PLC0415
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp  # noqa: PLC0415

    return SACREBLEU(effective_order=True, tokenize="13a"), (Tokenizer13a, TokenizerRegexp)
