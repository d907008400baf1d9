"""Learn the languages: `python -m services.quality.training.languages DATA`; a minute on one core."""

import argparse
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.quality import text_models
from services.quality.quality.languages import NGRAMS, Languages, lettered
from services.quality.quality.ngrams import codes, hashes_of
from services.shared.training_rows import rows

SEED, BUCKETS, SMOOTHING, FOLDS = 7, 1 << 15, 0.5, 5
LENGTHS = (10, 20, 40, 80, 1000)
Text = tuple[str, str]


def learnt(found: list[Text], names: tuple[str, ...]) -> Languages:
    """Naive Bayes with add-half smoothing, each language as likely as every other."""
    counts = np.zeros((len(names), BUCKETS))
    for text, name in found:
        characters = codes(lettered(text))
        grams = np.concatenate(hashes_of(characters, NGRAMS))
        counts[names.index(name)] += np.bincount((grams % np.uint64(BUCKETS)).astype(np.int64), minlength=BUCKETS)
    share = np.log((counts + SMOOTHING) / (counts.sum(axis=1, keepdims=True) + SMOOTHING * BUCKETS)).T
    centred = (share - share.mean(axis=1, keepdims=True)).astype(np.float32)
    return Languages(names, text_models.rounded(centred), (1.0, 0.0), "learning")


def calibrated(model: Languages, found: list[Text]) -> Languages:
    """The model with the scale and power of length that make its probabilities likeliest on `found`."""

    def loss(scale: float, power: float) -> float:
        tried = replace(model, calibration=(scale, power))
        return -float(np.mean([np.log(max(chance(tried, text, name), 1e-9)) for text, name in found]))

    grid = [(scale, power) for scale in (0.3, 0.5, 0.8, 1.2, 2.0) for power in (0.0, -0.2, -0.4, -0.6)]
    return replace(model, calibration=min(grid, key=lambda pair: loss(*pair)))


def chance(model: Languages, text: str, name: str) -> float:
    """The probability that the model gives the truth."""
    return float(model.probabilities(lettered(text))[model.codes.index(name)])


def cut(found: list[Text], length: int) -> list[Text]:
    """The beginnings of texts."""
    return [(text[:length], name) for text, name in found]


def measured(model: Languages, held_out: list[Text]) -> dict[str, float]:
    """Accuracy, and the error of calibration in ten bins."""
    guesses = [model.guess(text) for text, _ in held_out]
    right = np.array([guess.code == name for guess, (_, name) in zip(guesses, held_out, strict=True)])
    sure = np.array([guess.probability for guess in guesses])
    bins = np.minimum((sure * 10).astype(int), 9)
    error = sum(abs(right[bins == at].mean() - sure[bins == at].mean()) * (bins == at).mean() for at in set(bins))
    return {"accuracy": round(float(right.mean()), 4), "calibration_error": round(float(error), 4)}


def by_language(model: Languages, held_out: list[Text], length: int) -> dict[str, float]:
    """Accuracy of each language."""
    names = sorted({name for _, name in held_out})
    return {
        code: measured(model, [(text[:length], name) for text, name in held_out if name == code])["accuracy"]
        for code in names
    }


def main() -> None:
    """Read, learn, calibrate, measure by held-out texts, write the model of all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--output", type=Path, default=text_models.LANGUAGES)
    arguments = parser.parse_args()
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    found = [(row["text"], row["lang"]) for row in rows(arguments.data, "drift_language")]
    choose.shuffle(found)
    names = tuple(sorted({name for _, name in found}))
    part = len(found) // FOLDS
    held_out, tuning, learning = found[:part], found[part : part + part // 4], found[part:]
    mixed = [(text[: choose.choice(LENGTHS)], name) for text, name in tuning]
    tested = calibrated(learnt(found[part + part // 4 :], names), mixed)
    model = replace(learnt(learning, names), calibration=tested.calibration)
    report = {str(length): measured(model, cut(held_out, length)) for length in LENGTHS}
    print(json.dumps({"lengths": report, "at_40": by_language(model, held_out, 40)}, indent=1))  # noqa: T201
    shipped = replace(learnt(found, names), calibration=tested.calibration)
    text_models.save_languages(shipped, arguments.output)


if __name__ == "__main__":
    main()
