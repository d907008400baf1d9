"""Refusal and repetition of answers that neither refuse nor repeat; no source at hand labels refusals."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.quality.rows import Row, Source, distinct, read

NOTE = "rules; nothing is learnt from any source"
BY_MODEL = "labelled by model: the untuned davinci goes round until it is cut; now and then a tuned one does, too"
UNTUNED, TUNED = "davinci", ("text-davinci-001", "text-davinci-002", "text-davinci-003")


def sources(data: Path) -> Iterator[Source]:
    """What is flagged of answers; and answers that get stuck against answers of the same length that do not."""
    for name in ("instructions", "rag_human", "model_versions"):
        texts = distinct([row["response"] for row in read(data, name)])
        rows = [Row({"response": text}, text, 0) for text in texts]
        yield Source(name, "refusal", "unseen", rows, NOTE)
        if name != "model_versions":
            yield Source(name, "repetition", "unseen", rows, NOTE)
    answered = [row for row in read(data, "model_versions") if row["model"] in (UNTUNED, *TUNED)]
    rows = [Row({"response": each["response"]}, each["response"], int(each["model"] == UNTUNED)) for each in answered]
    yield Source("an untuned model beside tuned ones", "repetition", "unseen", rows, BY_MODEL, words=False)
    texts = [text for text in distinct([row["response"] for row in read(data, "rag_human")]) if 40 < len(text) < 400]
    rows = [row for at in range(len(texts)) for row in _pair(texts, at)]
    yield Source("stuck answers, made", "repetition", "unseen", rows, NOTE, words=False)


def _pair(texts: list[str], at: int) -> Iterator[Row]:
    """An answer whose last ten words come again and again, and the same with other answers behind it."""
    stuck = f"{texts[at]} {' '.join([' '.join(texts[at].split()[-10:])] * 12)}"
    fluent = " ".join(texts[at:] + texts[:at])[: len(stuck)]
    yield Row({"response": stuck}, stuck, 1, pair=str(at))
    yield Row({"response": fluent}, fluent, 0, pair=str(at))
