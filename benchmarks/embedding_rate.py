"""How many real texts a second are embedded, beside `SentenceTransformer.encode`, on all cores of a CPU.

Texts are paragraphs of Python's language reference and docstrings of its library, 20 to 300 tokens. The limit is the
rate if only the model's matrix products were done, at the speed of a bare product of 1,024 × 384 by 384 × 1,536 in the
encoder's precision, without padding, softmax and tokenising. Runs alternate; medians are compared; no cache answers:
`python -m benchmarks.embedding_rate`.
"""

import inspect
import json
import os
import pydoc_data.topics
import random
import statistics
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from services.shared import processor
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import BUILTIN, weights_folder

RUNS, TEXTS, SHORTEST, LONGEST = 5, 192, 20, 300
LAYERS, HIDDEN, INNER = 6, 384, 1536
FLAGS = {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}
MODULES = ("argparse", "asyncio", "logging", "subprocess", "unittest.mock", "decimal", "email.message", "tarfile")


def texts(tokenizer: Tokenizer) -> list[str]:
    """The same real texts every time, in no order of length."""
    choose = random.Random(1)
    paragraphs = [part for topic in pydoc_data.topics.topics.values() for part in topic.split("\n\n")]
    for name in MODULES:
        members = vars(import_module(name)).values()
        paragraphs += [inspect.getdoc(member) or "" for member in members if inspect.isclass(member)]
    paragraphs = sorted({" ".join(paragraph.split()) for paragraph in paragraphs} - {""})
    choose.shuffle(paragraphs)
    found = []
    while paragraphs and len(found) < TEXTS:
        text = " ".join(paragraphs.pop() for _ in range(min(choose.choice((1, 1, 1, 1, 2, 3)), len(paragraphs))))
        if SHORTEST <= len(tokenizer.encode(text).ids) <= LONGEST:
            found.append(text)
    return found


def limit_texts_per_second(lengths: list[int], precision: str) -> float:
    """The rate at which only the model's matrix products are done."""
    torch = import_module("torch")
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.randn(1024, HIDDEN, dtype=kind), torch.randn(HIDDEN, INNER, dtype=kind)
    best = min(seconds(lambda: [left @ right for _ in range(50)]) for _ in range(5)) / 50
    per_second = 2 * 1024 * HIDDEN * INNER / best
    work = sum(
        LAYERS * (2 * length * (4 * HIDDEN**2 + 2 * HIDDEN * INNER) + 4 * length**2 * HIDDEN) for length in lengths
    )
    return per_second * len(lengths) / work


def seconds(work: Callable[[], object]) -> float:
    """The time of one run."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def contenders(given: list[str]) -> tuple[dict[str, Callable[[], Any]], Encoder]:
    """Each way to embed `given`."""
    warnings.simplefilter("ignore")
    peer = import_module("sentence_transformers").SentenceTransformer(str(weights_folder(BUILTIN)), device="cpu")
    models = Path(os.environ.get("TIDEMARK_MODELS", "models"))
    cores = len(os.sched_getaffinity(0))
    encoder = Encoder.load(EncoderOptions(models=models, device="cpu", threads=cores, cache_entries=0))
    return {
        "tidemark": lambda: encoder.encode(given),
        "encode": lambda: peer.encode(given, show_progress_bar=False),
        "arrival_order_32": lambda: np.concatenate(
            [peer.encode(given[at : at + 32], show_progress_bar=False) for at in range(0, len(given), 32)]
        ),
    }, encoder


def main() -> None:
    """Measure and print one JSON object."""
    tokenizer = Tokenizer.from_file(str(weights_folder(BUILTIN) / "tokenizer.json"))
    given = texts(tokenizer)
    tokenizer.enable_truncation(256)
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(given)]
    ways, encoder = contenders(given)
    vectors = {name: way() for name, way in ways.items()}
    whole = np.array([length < 256 for length in lengths])  # of longer ones encode forgets the end, tidemark does not
    cosine = (vectors["tidemark"] * vectors["encode"]).sum(axis=1)[whole]
    runs: dict[str, list[float]] = {name: [] for name in ways}
    limits = []
    for _ in range(RUNS):
        for name, way in ways.items():
            runs[name].append(len(given) / seconds(way))
        limits.append(limit_texts_per_second(lengths, encoder.engine.precision))
    rates = {name: round(statistics.median(found), 1) for name, found in runs.items()}
    print(json.dumps({
        "name": "embedding_rate", "value": rates["tidemark"], "unit": "texts/s", "peer": rates["encode"],
        "limit": round(statistics.median(limits), 1), "ratio": round(rates["tidemark"] / rates["encode"], 2),
        "runs": RUNS, "cpu": processor.name(),
        "capabilities": sorted(processor.features() & FLAGS),
        "engine": encoder.engine.name, "precision": encoder.engine.precision, "cores": len(os.sched_getaffinity(0)),
        "ratio_to_arrival_order_32": round(rates["tidemark"] / rates["arrival_order_32"], 2),
        "share_of_limit": round(rates["tidemark"] / statistics.median(limits), 2),
        "cosine_mean": round(float(cosine.mean()), 6), "cosine_min": round(float(cosine.min()), 6),
        "texts": len(given), "tokens_mean": round(statistics.mean(lengths), 1),
        "load_before": round(os.getloadavg()[0], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
