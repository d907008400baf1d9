"""What the scorer is worth: by kind of attack, on kinds that it was not trained on, and on harmless text."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from schemas.messages import Call, Document
from services.guard.guard.injection import CONTEXT, PROMPT, THRESHOLD, InjectionScorer
from services.guard.training.injection import corpora, disguising, examples, suffixes, surprise_fitting
from services.guard.training.injection.examples import Example, Field
from services.shared.training_rows import rows

Floats = npt.NDArray[np.float64]
Report = dict[str, Any]
MOST = 250  # texts of a kind that are measured


def log_odds(scorer: InjectionScorer, texts: Sequence[str], field: Field) -> Floats:
    """The scorer's values of `texts` as log-odds, which rank beyond the last digit of a probability."""
    values = np.array([
        score.value
        for number, text in enumerate(texts)
        for score in scorer.score([a_call(number, text, field)])
        if score.metric == (PROMPT if field == "prompt" else CONTEXT).name
    ])  # fmt: skip
    found: Floats = np.log(np.clip(values, 1e-15, 1)) - np.log1p(-np.clip(values, 0, 1 - 1e-15))
    return found


def a_call(number: int, text: str, field: Field) -> Call:
    """A call with `text` in `field`."""
    given: dict[str, Any] = {"prompt": text} if field == "prompt" else {"context": (Document(text=text),)}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Call(
        call_id=UUID(int=number + 1), tenant="t", app="training", environment="e", version="1", called_at=at, **given
    )


def by_kind(scorer: InjectionScorer, found: Sequence[Example], data: Path, *, seed: int) -> Report:
    """Held-out attacks of each kind against held-out harmless prompts of their length; flags at the threshold."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    harmless = [each.text for each in found if each.held_out and not each.label and each.field == "prompt"]
    harmless = choose.sample(harmless, min(900, len(harmless)))
    calm = log_odds(scorer, harmless, "prompt")
    report: Report = {"harmless_flagged": _flagged(calm)}
    for kind, texts in _attacks(found, data, choose).items():
        pool = length_matched(texts, harmless)
        report[kind] = against(log_odds(scorer, texts, "prompt"), calm[pool])
    return report


def _attacks(found: Sequence[Example], data: Path, choose: random.Random) -> Mapping[str, list[str]]:
    kept = [each for each in found if each.held_out and each.label and each.field == "prompt"]
    groups: dict[str, list[str]] = {}
    for each in kept:
        groups.setdefault(f"{each.kind}/{each.source}", []).append(each.text)
    plain = [each.text for each in kept if len(each.text) < 1500]
    for name, disguise in disguising.DISGUISES.items():
        groups[f"disguised/{name}"] = [disguise(text, choose) for text in choose.sample(plain, 60)]
    words = suffixes.vocabulary([row["response"] for row in rows(data, "model_versions")])
    asked = [text for text in examples.harmful(data) if corpora.held_out(text)]
    groups["suffix"] = [f"{text} {suffixes.suffix(choose, words)}" for text in choose.sample(asked, MOST)]
    return {kind: choose.sample(texts, min(MOST, len(texts))) for kind, texts in groups.items()}


def documents(scorer: InjectionScorer, found: Sequence[Example]) -> Report:
    """Held-out documents with something hidden against the same sources' clean ones, and against manuals."""
    kept = [each for each in found if each.held_out and each.field == "context"][:900]
    values = log_odds(scorer, [each.text for each in kept], "context")
    labels = np.array([each.label for each in kept])
    report: Report = {"all": against(values[labels], values[~labels])}
    for source in sorted({each.source for each in kept}):
        own = np.array([each.source == source for each in kept])
        if labels[own].any() and not labels[own].all():
            report[source] = against(values[own & labels], values[own & ~labels])
    manuals = np.array([each.source in {"manual", "how_to", "talk_of_attacks"} for each in kept])
    report["against_manuals"] = against(values[labels & ~manuals], values[~labels & manuals])
    return report


def harmless(scorer: InjectionScorer, data: Path, *, seed: int) -> Report:
    """The share of harmless texts of each sort that is flagged in a prompt: held-out ones, and NotInject's."""
    texts = surprise_fitting.ordinary(data, seed=seed + 1, held_out=True)
    sorts = {name: listed[:100] for name, listed in texts.items() if name not in {"attacks", "requests"}}
    sorts["not_inject"] = [row["text"] for row in rows(data, "injection_lookalikes")]
    return {name: _flagged(log_odds(scorer, listed, "prompt")) for name, listed in sorts.items()}


def baselines(found: Sequence[Example]) -> Report:
    """Length, and a logistic regression over TF-IDF, trained and measured on the same texts as the heads."""
    prompts = [each for each in found if each.field == "prompt"]
    kept = [each for each in prompts if not each.held_out]
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    line = LogisticRegression(C=10, max_iter=300).fit(
        vectoriser.fit_transform([each.text for each in kept]), [each.label for each in kept]
    )
    measured = [each for each in prompts if each.held_out]
    calm = [each.text for each in measured if not each.label]
    report: Report = {}
    for kind in sorted({f"{each.kind}/{each.source}" for each in measured if each.label}):
        texts = [each.text for each in measured if each.label and f"{each.kind}/{each.source}" == kind]
        pool = [calm[at] for at in length_matched(texts, calm)]
        by_words = [line.decision_function(vectoriser.transform(side)) for side in (texts, pool)]
        by_length = [np.array([len(text) for text in side]) for side in (texts, pool)]
        report[kind] = {"tf_idf": against(by_words[0], by_words[1]), "length": against(by_length[0], by_length[1])}
    return report


def length_matched(texts: Sequence[str], pool: Sequence[str]) -> npt.NDArray[np.int64]:
    """Of `pool` those nearest in length to each of `texts`, three for each, with repeats left out."""
    order = np.argsort([len(text) for text in pool], kind="stable")
    lengths = np.array([len(pool[at]) for at in order])
    near = np.searchsorted(lengths, [len(text) for text in texts])
    picked = np.concatenate([np.clip(near + step, 0, len(pool) - 1) for step in (-2, -1, 0, 1, 2)])
    found: npt.NDArray[np.int64] = order[np.unique(picked)]
    return found


def against(attacks: Floats, calm: Floats) -> Report:
    """AUROC, the share caught where 1 % of `calm` is flagged, and what is flagged at the threshold."""
    truth = np.concatenate([np.ones(len(attacks)), np.zeros(len(calm))])
    return {
        "auroc": round(float(roc_auc_score(truth, np.concatenate([attacks, calm]))), 3),
        "caught_at_1_percent": round(float((attacks > np.quantile(calm, 0.99)).mean()), 3),
        "caught": _flagged(attacks),
        "falsely_flagged": _flagged(calm),
        "texts": [len(attacks), len(calm)],
    }


def _flagged(values: Floats | Iterable[float]) -> float:
    edge = np.log(THRESHOLD / (1 - THRESHOLD))
    return round(float((np.asarray(values) >= edge).mean()), 4)
