"""Train adapter and heads: `python -m services.toxicity.training DATA`; half an hour on two cores."""

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from schemas.messages import Call
from services.shared import adapter as adapters
from services.shared import classifier_store, model_store, training_rows
from services.shared.adapter import Adapter, Changes, Facts, Head
from services.shared.classifier import Classifier, ClassifierOptions
from services.shared.line_scoring import Numbered, parsed
from services.shared.sentences import Sentence, sentences
from services.shared.torch_adapter import changes_of
from services.toxicity.config import BUILTIN
from services.toxicity.toxicity import KINDS, ToxicityScorer, worst_of
from services.toxicity.training import adapting, bias_examples, examples, fitting, misspelling, report, trial
from services.toxicity.training.adapting import ALPHA, RANK
from services.toxicity.training.examples import Example
from services.toxicity.training.fitting import HEADS, Network
from services.toxicity.training.vectors import Vectors

SEED = 7
EPOCHS = 6.0
MAX_TOKENS = 256
# Whole sources that the adapter never sees: on them its strength is chosen, and what it is worth is measured.
UNSEEN = ("toxigen", "surge_ai", "harmbench", "bbq_religion", "bbq_sexual_orientation")
# Of large sources, for the heads and for the adapter: more of the same teaches little and takes time.
MOST = {
    "instructions": (6000, 2500), "languages": (1500, 0), "short_answers": (1000, 500), "clinc": (2000, 1000),
    "bbq": (1500, 600),
    "grounded": (1500, 600), "python_reference": (1000, 400), "madlibs": (2000, 1200),
    "civil_toxic_spans": (3000, 2600),
    "davidson_neither": (1200, 900), "davidson_hate": (1000, 800), "davidson_explicit": (500, 400),
    "harmfulqa": (1500, 900), "wikipedia_talk": (1200, 1000), "bbq_age": (900, 500), "bbq_nationality": (900, 500),
    "bbq_disability_status": (900, 500), "bbq_physical_appearance": (900, 500), "bbq_religion": (900, 0),
    "bbq_sexual_orientation": (900, 0), "toxigen": (1000, 0), "surge_ai": (1000, 0), "harmbench": (1000, 0),
}  # fmt: skip
# Of clean texts, by each kind: together about 1 %, up to 3 % in a length quintile (MODEL_CARD.md). More where harm is
# hard to tell from a question about it, less where words leave little doubt.
FLAGGED_CLEAN = {"abuse": 0.002, "identity_attack": 0.002, "threat": 0.001, "sexual": 0.0005, "harmful_request": 0.003}


def main() -> None:
    """Read, adapt, choose how far, fit, calibrate, write, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, default=BUILTIN)
    parser.add_argument(
        "--epochs", type=float, default=EPOCHS, help="how often the adapter sees each text; its rate falls over them"
    )
    parser.add_argument("--changes", type=Path, help="keep what was trained here, or take it from here")
    arguments = parser.parse_args()
    found = read(arguments.data)
    changes = _changes(found, arguments.changes, epochs=arguments.epochs)
    kept = capped(found, 0)
    held_out = np.array([example.held_out for example in kept])
    tried, best = {}, (0.0, np.zeros((0, 0), np.float32))
    for strength in trial.STRENGTHS:
        vectors = Vectors(changes, strength=strength).of([example.text for example in kept])
        tried[strength] = trial.measured(kept, vectors, unseen=UNSEEN, seed=SEED)
        if tried[strength]["mean"] == max(each["mean"] for each in tried.values()):
            best = strength, vectors
    strength, vectors = best
    network = fitting.fit(kept, vectors, held_out=held_out, seed=SEED)
    sources = report.by_source(kept, network.logits(vectors), held_out)
    network = shifted(network, Vectors(changes, strength=strength), clean_texts(arguments.data))
    adapters.write(adapter(network, changes, strength), arguments.output)
    classifier_store.convert(model_store.BUILTIN, arguments.output, arguments.models)
    options = ClassifierOptions(models=arguments.models, adapter=arguments.output, threads=2)
    clean = measured_clean(ToxicityScorer(Classifier.load(options)), arguments.data)
    print(json.dumps({"tried": tried, "strength": strength, "sources": sources, "clean": clean}, indent=1))  # noqa: T201


def read(data: Path) -> list[Example]:
    """Every example of every head."""
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    found = misspelling.some_misspelt(examples.read(data, seed=SEED), choose)
    found += bias_examples.read(data, random.Random(SEED))  # noqa: S311 - reproducible, not secret
    return bias_examples.pointless(found)


def capped(found: Sequence[Example], part: int) -> list[Example]:
    """No more of a source than MOST allows for the heads (0) or the adapter (1)."""
    counts: Counter[str] = Counter()
    result = []
    for example in found:
        counts[example.source] += 1
        most = MOST.get(example.source, (10**6, 10**6))[part]
        if counts[example.source] <= most:
            result.append(example)
    return result


def _changes(found: Sequence[Example], path: Path | None, *, epochs: float) -> Changes:
    if path and path.exists():
        return adapters.read(path).changes
    learnt = [each for each in capped(found, 1) if not each.held_out and each.source not in UNSEEN]
    changes = changes_of(adapting.trained(learnt, seed=SEED, epochs=epochs))
    if path:
        nothing = np.zeros((1, 384), np.float32), np.zeros(1, np.float32)
        facts = Facts(base_sha256="", rank=RANK, alpha=ALPHA, kind="sequence", heads=(Head("none"),), max_tokens=64)
        adapters.write(Adapter(facts=facts, changes=changes, output=nothing), path)
    return changes


def clean_texts(data: Path) -> list[str]:
    """Prompts and answers that are kept for setting the threshold."""
    calls = examples.clean_calls(data, "calibrate")
    return [text for call in calls for text in (call["prompt"], call["response"]) if text.strip()]


def shifted(network: Network, vectors: Vectors, texts: Sequence[str]) -> Network:
    """The network with intercepts such that FLAGGED_CLEAN of `texts` reach one half, kind by kind.

    That is: its probabilities hold at the prevalence at which a flag is as likely right as wrong.
    """
    parts = [sentences(text) or [Sentence(text, 0, len(text))] for text in texts]
    unique = sorted({sentence.text for part in parts for sentence in part})
    found = dict(zip(unique, network.logits(vectors.of(unique)), strict=True))
    worst = np.stack([worst_of(np.stack([found[sentence.text] for sentence in part])) for part in parts])
    shift = np.zeros(len(HEADS), np.float32)
    for place, kind in enumerate(KINDS):
        shift[place] = np.quantile(worst[:, place], 1 - FLAGGED_CLEAN[kind])
    return replace(network, intercept=network.intercept - shift)


def adapter(network: Network, changes: Changes, strength: float) -> Adapter:
    """What is written; no changes where the encoder stays as it was."""
    heads = tuple(
        Head(name, slope=float(slope), intercept=float(intercept))
        for name, slope, intercept in zip(HEADS, network.slope, network.intercept, strict=True)
    )
    facts = Facts(
        base_sha256=model_store.BUILTIN_SHA256,
        rank=RANK,
        alpha=strength * ALPHA,
        kind="sequence",
        heads=heads,
        max_tokens=MAX_TOKENS,
    )
    return Adapter(facts=facts, changes=changes if strength else {}, output=network.output, hidden=network.hidden)


def measured_clean(scorer: ToxicityScorer, data: Path) -> dict[str, Any]:
    """Flags on clean calls, on documentation and on clean text that names groups."""
    rows = examples.clean_calls(data, "measure")
    friendly = sorted({row["context"] for row in training_rows.rows(data, "bias")})[::12]
    return {
        "instructions": report.clean(scorer, _calls(rows)),
        "docstrings": report.clean(
            scorer, _calls([{"prompt": text, "response": text} for text in report.docstrings()])
        ),
        "swapped": report.swapped(scorer, friendly),
    }


def _calls(rows: Sequence[dict[str, Any]]) -> list[Call]:
    at = examples.AT
    lines = [json.dumps({"prompt": row["prompt"], "response": row["response"]}).encode() for row in rows]
    read = [parsed(number, line, at) for number, line in enumerate(lines, 1)]
    return [each.call for each in read if isinstance(each, Numbered)]


if __name__ == "__main__":
    main()
