"""How many real texts a second are classified, beside transformers' pipeline, on all cores of a CPU.

The classifier is the built-in encoder with a random head of two labels, saved as it would be published and read by
both: rates do not depend on what it says. Texts as in `embedding_rate`; runs alternate, medians are compared, no cache
answers: `python -m benchmarks.classifier_rate`. The largest difference of a probability is printed beside.
"""

import json
import os
import statistics
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from benchmarks.embedding_rate import limit_texts_per_second, seconds, texts
from services.shared import processor
from services.shared.classifier import Classifier, ClassifierOptions, probabilities
from services.shared.classifier_store import convert
from services.shared.model_store import BUILTIN, weights_folder

RUNS = int(os.environ.get("RUNS", "5"))
LONGEST = 256


def published(folder: Path) -> Path:
    """The built-in encoder as a published classifier of two labels."""
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(weights_folder(BUILTIN), num_labels=2)
    torch.nn.init.normal_(model.classifier.weight, std=0.5)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights_folder(BUILTIN), model_max_length=LONGEST).save_pretrained(folder)
    return folder


def contenders(folder: Path, given: list[str]) -> tuple[dict[str, Callable[[], Any]], Classifier]:
    """Each way to classify `given`; all give the probability of the first label."""
    convert(str(folder), None, folder.parent / "models")
    cores = len(os.sched_getaffinity(0))
    options = ClassifierOptions(
        model=str(folder), models=folder.parent / "models", device="cpu", threads=cores, cache_entries=0
    )
    classifier = Classifier.load(options)
    peer = pipeline("text-classification", model=str(folder), device="cpu", truncation=True, top_k=None)

    def by_pipeline(**batch: int) -> Any:
        answers = peer(given, **batch)
        return np.array([next(one["score"] for one in answer if one["label"] == "LABEL_0") for answer in answers])

    return {
        "tidemark": lambda: probabilities(classifier.logits(given), classifier.heads)[:, 0],
        "pipeline": by_pipeline,
        "pipeline_32": lambda: by_pipeline(batch_size=32),
    }, classifier


def main() -> None:
    """Measure and print one JSON object."""
    warnings.simplefilter("ignore")
    tokenizer = Tokenizer.from_file(str(weights_folder(BUILTIN) / "tokenizer.json"))
    given = texts(tokenizer)
    tokenizer.enable_truncation(LONGEST)
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(given)]
    with tempfile.TemporaryDirectory() as scratch:
        ways, classifier = contenders(published(Path(scratch) / "model"), given)
        found = {name: way() for name, way in ways.items()}
        runs: dict[str, list[float]] = {name: [] for name in ways}
        limits = []
        for _ in range(RUNS):
            for name, way in ways.items():
                runs[name].append(len(given) / seconds(way))
            limits.append(limit_texts_per_second(lengths, classifier.engine.precision))
    rates = {name: round(statistics.median(rate), 1) for name, rate in runs.items()}
    whole = np.array([length < LONGEST for length in lengths])  # of longer ones the pipeline forgets the end
    print(json.dumps({
        "name": "classifier_rate", "value": rates["tidemark"], "unit": "texts/s", "peer": rates["pipeline"],
        "limit": round(statistics.median(limits), 1), "ratio": round(rates["tidemark"] / rates["pipeline"], 2),
        "runs": RUNS, "cpu": processor.name(),
        "engine": classifier.engine.name, "precision": classifier.engine.precision,
        "cores": len(os.sched_getaffinity(0)),
        "ratio_to_batches_of_32": round(rates["tidemark"] / rates["pipeline_32"], 2),
        "share_of_limit": round(rates["tidemark"] / statistics.median(limits), 2),
        "largest_difference": round(float(np.abs(found["tidemark"] - found["pipeline"])[whole].max()), 4),
        "texts": len(given), "tokens_mean": round(statistics.mean(lengths), 1),
        "load_before": round(os.getloadavg()[0], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
