"""Learn the characters: `python -m services.quality.training.characters DATA`; two minutes on one core."""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from services.quality import text_models
from services.quality.quality.ngrams import hashes
from services.quality.quality.surprise import ORDER, STEPS, THRESHOLD, Surprise, owner, readied, weighed
from services.quality.training.gibberish import keyboard_mash, random_characters, shuffled_letters
from services.shared.training_rows import rows

SEED, SLOTS, SHORTEST = 7, 5 << 18, 30
Floats = npt.NDArray[np.float64]


def texts(data: Path) -> list[tuple[str, str]]:
    """Clean texts by source."""
    found = [("instructions", row[field]) for row in rows(data, "instructions") for field in ("response", "prompt")]
    found += [("grounded", row["prompt"][:3000]) for row in rows(data, "grounded")[::2]]
    found += [(row["lang"], row["text"]) for row in rows(data, "drift_language")]
    return found + [("references", row["ref"]) for row in rows(data, "references")[::4]]


def learnt(found: list[str]) -> Surprise:
    """Counts of n-grams; where two share a slot, the shorter, then the more frequent one keeps it."""
    parts = [readied(text)[0] for text in found]
    owners, counts, worth = np.zeros(SLOTS, np.uint8), np.zeros(SLOTS, np.uint8), np.zeros(SLOTS)
    for size in range(1, ORDER + 1):
        grams, seen = np.unique(np.concatenate([hashes(part, size) for part in parts]), return_counts=True)
        often = seen >= (1 if size <= 2 else 2)
        order = np.argsort(seen[often], kind="stable")
        grams, seen = grams[often][order], seen[often][order]
        slots = (grams % np.uint64(SLOTS)).astype(np.int64)
        value = seen * 4.0 ** (ORDER - size)
        wins = value > worth[slots]
        slots = slots[wins]
        worth[slots], owners[slots] = value[wins], owner(grams[wins])
        counts[slots] = np.minimum(1 + np.round(np.log2(seen[wins]) * STEPS), 255).astype(np.uint8)
    return Surprise(owners, counts, float(sum(map(len, parts))), "learning")


def values(model: Surprise, found: list[str]) -> Floats:
    """The metric of each text."""
    read = [readied(text)[0] for text in found]
    return np.array([
        weighed(model.bits(characters), characters)[model.knows(characters)].mean() if len(characters) else 0.0
        for characters in read
    ])  # fmt: skip


def report(model: Surprise, held_out: list[tuple[str, str]], choose: random.Random) -> dict[str, object]:
    """Means and flags by source of clean text, and what of gibberish is told from it."""
    clean = values(model, [text for _, text in held_out])
    sources = np.array([source for source, _ in held_out])
    gibberish = {
        "shuffled_letters": [shuffled_letters(text[:300], choose) for _, text in held_out[:1500]],
        "keyboard_mash": [keyboard_mash(choose.randint(20, 200), choose) for _ in range(500)],
        "random_characters": [random_characters(choose.randint(20, 200), choose) for _ in range(500)],
    }
    told = {}
    for name, found in gibberish.items():
        bad = values(model, found)
        auroc = roc_auc_score([0] * len(clean) + [1] * len(bad), np.concatenate([clean, bad]))
        told[name] = {"auroc": round(float(auroc), 4), "caught": round(float((bad >= THRESHOLD).mean()), 3)}
    by_source = {
        source: [
            round(float(clean[sources == source].mean()), 2),
            round(float((clean[sources == source] >= THRESHOLD).mean()), 4),
        ]
        for source in sorted(set(sources))
    }
    return {"flagged": round(float((clean >= THRESHOLD).mean()), 4), "gibberish": told, "mean_and_flagged": by_source}


def main() -> None:
    """Read, learn, measure on texts held out, write the model of all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--output", type=Path, default=text_models.CHARACTERS)
    arguments = parser.parse_args()
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    found = texts(arguments.data)
    choose.shuffle(found)
    held_out = [(source, text) for source, text in found[:4000] if len(text) >= SHORTEST]
    print(json.dumps(report(learnt([text for _, text in found[4000:]]), held_out, choose)))  # noqa: T201
    text_models.save_surprise(learnt([text for _, text in found]), arguments.output)


if __name__ == "__main__":
    main()
