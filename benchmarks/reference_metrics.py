"""What ROUGE and chrF cost here, beside the libraries whose values they have (rouge-score, sacrebleu).

Responses are paragraphs of Python's language reference, each beside the next one. One thread, each contender in a
process of its own, in turns; medians count, in calls a second of processor time:
`python -m benchmarks.reference_metrics`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise

import psutil
from msgspec.structs import replace

from benchmarks.text_metrics import a_call, texts
from services.quality.quality import chrf, rouge
from services.shared import processor

RUNS = 3
Judge = Callable[[str, str], object]


def ours_rouge() -> Judge:
    """Our ROUGE-1, 2 and L."""
    judges = (rouge.rouge_1, rouge.rouge_2, rouge.rouge_l)
    return lambda response, reference: [judge(replace(a_call(response), reference=reference)) for judge in judges]


def ours_chrf() -> Judge:
    """Our chrF, with the counts that windows add."""
    return lambda response, reference: chrf.chrf(replace(a_call(response), reference=reference))


def theirs_rouge() -> Judge:
    """rouge-score's."""
    warnings.simplefilter("ignore")
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - what it costs is measured

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    return lambda response, reference: scorer.score(reference, response)


def theirs_chrf() -> Judge:
    """sacrebleu's, which gives no counts."""
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415 - as above

    scorer = CHRF()
    return lambda response, reference: scorer.sentence_score(response, [reference])


CONTENDERS = {"rouge": ours_rouge, "rouge-score": theirs_rouge, "chrf": ours_chrf, "sacrebleu": theirs_chrf}


def cost(name: str) -> dict[str, float]:
    """Of one contender: to import it, and calls a second."""
    before, memory = time.process_time(), _resident_mib()
    judge = CONTENDERS[name]()
    imported, taken = time.process_time() - before, _resident_mib() - memory
    given = texts()
    started = time.process_time()
    for response, reference in pairwise(given):
        judge(response, reference)
    return {
        "calls/s": (len(given) - 1) / (time.process_time() - started),
        "import_seconds": imported,
        "import_mib": taken,
    }


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def in_its_own_process(name: str) -> dict[str, float]:
    """The same, where nothing else is loaded."""
    command = [sys.executable, "-m", "benchmarks.reference_metrics", name]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def main() -> None:
    """Measure and print one JSON object."""
    if len(sys.argv) > 1:
        print(json.dumps(cost(sys.argv[1])))
        return
    runs = [{name: in_its_own_process(name) for name in CONTENDERS} for _ in range(RUNS)]
    found = {
        name: {key: round(statistics.median(run[name][key] for run in runs), 2) for key in runs[0][name]}
        for name in CONTENDERS
    }
    value, peer = found["rouge"]["calls/s"], found["rouge-score"]["calls/s"]
    print(json.dumps({
        "name": "reference_metrics", "value": value, "unit": "calls/s", "peer": peer, "limit": None,
        "ratio": round(value / peer, 2), "runs": RUNS, "cpu": processor.name(),
        "contenders": found, "load_before": round(os.getloadavg()[0], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
