"""How many responses a second get the text metrics that langkit has, beside langkit: counts and reading ease.

langkit takes every text for English. So does `value`; `rates` says what guessing the language first comes to, too.
Texts are paragraphs of Python's language reference. The peer is langkit's `textstat` module, which runs in an
environment of its own (`pip install langkit "numpy<2" "pandas<2.2"`; TIDEMARK_LANGKIT_PYTHON names its interpreter;
without one there is no peer), one text a call, as it is used on calls as they come. Both run in a process of their
own, on one thread, in turns; medians count: `OMP_NUM_THREADS=1 python -m benchmarks.text_metrics`.
"""

import json
import os
import pydoc_data.topics
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from schemas.messages import Call
from services.quality import text_models
from services.quality.quality import formats, language, length, readability, refusal, repetition, surprise
from services.quality.quality import languages as languages_module
from services.quality.quality.languages import Guess, Languages
from services.shared import processor

RUNS, TEXTS = 5, 400
PEER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from langkit import extract, textstat
given = json.load(sys.stdin)
extract({"prompt": given[0], "response": given[0]})
started = time.perf_counter()
for text in given:
    extract({"response": text})
print(len(given) / (time.perf_counter() - started))
"""


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


def rate(measures: list[Callable[[Call], object]], calls: list[Call]) -> float:
    """Calls a second by these measures."""
    started = time.perf_counter()
    for call in calls:
        for measure in measures:
            measure(call)
    return len(calls) / (time.perf_counter() - started)


def peer_rate(given: list[str]) -> float | None:
    """Texts a second of langkit, or None where it is not installed."""
    python = os.environ.get("TIDEMARK_LANGKIT_PYTHON")
    if python is None:
        return None
    command = [python, "-c", PEER]
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return float(ran.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and print one JSON object."""
    given = texts()
    calls = [a_call(text) for text in given]
    languages = text_models.load_languages()
    english = English(languages.codes, languages.weights, languages.calibration, "english")
    families = {
        "langkit's": [*readability.measures(english).values(), *length.MEASURES.values()],
        "langkit's, language guessed": [*readability.measures(languages).values(), *length.MEASURES.values()],
        "formats": list(formats.MEASURES.values()),
        "repetition": list(repetition.MEASURES.values()),
        "refusal": list(refusal.MEASURES.values()),
        "language": list(language.measures(languages).values()),
        "surprise": list(surprise.measures(text_models.load_surprise()).values()),
    }
    rates: dict[str, list[float]] = {name: [] for name in (*families, "all")}
    peers = []
    for _ in range(RUNS):
        for name, measures in families.items():
            languages_module.guessed.cache_clear()
            rates[name].append(rate(measures, calls))
        languages_module.guessed.cache_clear()
        rates["all"].append(rate([each for name in families if name != "langkit's" for each in families[name]], calls))
        peers.append(peer_rate(given))
    found = [each for each in peers if each is not None]
    median = {name: round(statistics.median(each)) for name, each in rates.items()}
    peer = round(statistics.median(found)) if found else None
    print(json.dumps({
        "name": "text_metrics", "value": median["langkit's"], "unit": "texts/s", "peer": peer, "limit": None,
        "ratio": round(median["langkit's"] / peer, 2) if peer else None, "runs": RUNS,
        "cpu": processor.name(), "rates": median, "texts": len(given),
        "characters_mean": round(statistics.mean(map(len, given))), "load_before": round(os.getloadavg()[0], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
