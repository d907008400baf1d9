"""Refusal and repetition of answers that neither refuse nor repeat; no source at hand labels refusals."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.quality.rows import Row, Source, distinct, read

NOTE = "rules; nothing is learnt from any source"
LOOPING = "rules; some of its models do repeat themselves, and no label says where"


def sources(data: Path) -> Iterator[Source]:
    """What is flagged of answers; and answers that get stuck against answers of the same length that do not."""
    for name in ("instructions", "rag_human", "model_versions"):
        texts = distinct([row["response"] for row in read(data, name)])
        rows = [Row({"response": text}, text, 0) for text in texts]
        yield Source(name, "refusal", "unseen", rows, NOTE)
        yield Source(name, "repetition", "unseen", rows, LOOPING if name == "model_versions" else NOTE)
    texts = [text for text in distinct([row["response"] for row in read(data, "rag_human")]) if 40 < len(text) < 400]
    rows = [row for at in range(len(texts)) for row in _pair(texts, at)]
    yield Source("stuck answers, made", "repetition", "unseen", rows, NOTE, words=False)


def _pair(texts: list[str], at: int) -> Iterator[Row]:
    """An answer whose last ten words come again and again, and the same with other answers behind it."""
    stuck = f"{texts[at]} {' '.join([' '.join(texts[at].split()[-10:])] * 12)}"
    fluent = " ".join(texts[at:] + texts[:at])[: len(stuck)]
    yield Row({"response": stuck}, stuck, 1, pair=str(at))
    yield Row({"response": fluent}, fluent, 0, pair=str(at))
