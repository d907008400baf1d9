"""How many responses a second get the text metrics that langkit has too, beside langkit: counts and reading ease.

langkit takes every text for English. So does `value`; `rates` says what guessing the language first comes to, too.
Texts are paragraphs of Python's language reference, one a call, as calls come. The peer computes the same three
metrics, by the functions that langkit's `textstat` module registers for them; `whole_module` is langkit's `extract`,
which gives the module's other eight as well. langkit has an environment of its own (`pip install langkit "numpy<2"
"pandas<2.2"`; TIDEMARK_LANGKIT_PYTHON names its interpreter; without one there is no peer). Each contender runs in a
fresh process, on one thread, in turns: once over all texts to warm up, then again, timed, with its caches cleared.
Medians count: `OMP_NUM_THREADS=1 python -m benchmarks.text_metrics`.
"""

import json
import os
import pydoc_data.topics
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from schemas.messages import Call
from services.quality import text_models
from services.quality.quality import formats, language, length, readability, refusal, repetition, surprise
from services.quality.quality import languages as languages_module
from services.quality.quality.languages import Guess, Languages
from services.shared import processor

RUNS, TEXTS, TARGET = 5, 400, 12
OURS = "langkit's"
SAME = ("flesch_reading_ease", "char_count", "lexicon_count")  # as langkit's module names what `value` computes
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from langkit import extract, textstat
from textstat import textstat as cached

def seconds():
    cached._cache_clear()
    started = time.perf_counter()
    for text in given:
        measure(text)
    return time.perf_counter() - started

def same(text):
    for stat in stats:
        stat({"response": [text]})

given, stats = json.load(sys.stdin), [textstat.wrapper(name, "response") for name in sys.argv[1:]]
measure = same if stats else lambda text: extract({"response": text})
seconds()
print(len(given) / seconds())
"""
Measure = Callable[[Call], object]


class English(Languages):
    """Every text is English, as langkit takes for granted."""

    def guess(self, _text: str) -> Guess:
        """Without a look."""
        return Guess("en", 1.0)


def texts() -> list[str]:
    """The same real texts every time."""
    paragraphs = sorted({part.strip() for topic in pydoc_data.topics.topics.values() for part in topic.split("\n\n")})
    return [part for part in paragraphs if 100 <= len(part) <= 1500][:TEXTS]


def a_call(text: str) -> Call:
    """A call with this response."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    prompt = "What does the reference say?"
    return Call(call_id=UUID(int=1), app="a", environment="e", version="1", called_at=at, prompt=prompt, response=text)


def families() -> dict[str, list[Measure]]:
    """What is timed, by name."""
    languages = text_models.load_languages()
    english = English(languages.codes, languages.weights, languages.calibration, "english")
    ours: dict[str, list[Measure]] = {
        "langkit's, language guessed": [*readability.measures(languages).values(), *length.MEASURES.values()],
        "formats": list(formats.MEASURES.values()),
        "repetition": list(repetition.MEASURES.values()),
        "refusal": list(refusal.MEASURES.values()),
        "language": list(language.measures(languages).values()),
        "surprise": list(surprise.measures(text_models.load_surprise()).values()),
    }
    like_langkit: list[Measure] = [*readability.measures(english).values(), *length.MEASURES.values()]
    return {OURS: like_langkit, **ours, "all": [each for family in ours.values() for each in family]}


def seconds(measures: Sequence[Measure], calls: Sequence[Call]) -> float:
    """What these measures take for all calls, with no text or word remembered."""
    for cached in (languages_module.guessed, readability.syllables):
        cached.cache_clear()
    started = time.perf_counter()
    for call in calls:
        for measure in measures:
            measure(call)
    return time.perf_counter() - started


def child(name: str) -> None:
    """Print the calls a second of one family."""
    measures, calls = families()[name], [a_call(text) for text in texts()]
    seconds(measures, calls)
    print(len(calls) / seconds(measures, calls))


def said(command: Sequence[str], given: Sequence[str] = ()) -> float:
    """The rate that a process of its own prints."""
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return float(ran.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and print one JSON object."""
    given, python = texts(), os.environ.get("TIDEMARK_LANGKIT_PYTHON")
    load = round(os.getloadavg()[0], 2)
    rates: dict[str, list[float]] = {name: [] for name in families()}
    peers: dict[str, list[float]] = {"same": [], "whole": []}
    for _ in range(RUNS):
        for name, found in rates.items():
            found.append(said([sys.executable, "-m", "benchmarks.text_metrics", name]))
        if python:
            peers["same"].append(said([python, "-c", PEER, *SAME], given))
            peers["whole"].append(said([python, "-c", PEER], given))
    median = {name: round(statistics.median(each)) for name, each in rates.items()}
    value = median[OURS]
    peer, whole = (round(statistics.median(each)) if each else None for each in peers.values())
    print(json.dumps({
        "name": "text_metrics", "value": value, "unit": "texts/s", "peer": peer, "limit": None,
        "ratio": round(value / peer, 2) if peer else None, "target": TARGET, "runs": RUNS,
        "whole_module": {"peer": whole, "ratio": round(value / whole, 2) if whole else None},
        "cpu": processor.name(), "rates": median, "texts": len(given),
        "characters_mean": round(statistics.mean(map(len, given))), "load_before": load,
    }))  # fmt: skip


if __name__ == "__main__":
    child(sys.argv[1]) if sys.argv[1:] else main()
