"""Measures every scorer and writes the quality report: `make quality`, or `python -m benchmarks.quality DATA`."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality import libraries, peers, plots, report, spans
from benchmarks.quality.measuring import measured
from benchmarks.quality.rows import Source
from benchmarks.quality.scored import Scored
from benchmarks.quality.sets import SETS, leakage
from services.embedded.scorers import SCORERS
from services.shared.errors import Unusable

ROOT = Path(__file__).parents[2]
FIGURES, PAGE = ROOT / "docs/reference/quality.json", ROOT / "docs/reference/quality.md"
IMAGES = ROOT / "docs/images/quality"
NO_DATA = 2


def main() -> int:
    """Measure the named scorers, or all, and write; what the report knows of others stays in it."""
    arguments = _arguments()
    if arguments.page:
        _write(json.loads(FIGURES.read_text()))
        return 0
    if not (arguments.data / "toxicity.jsonl.gz").is_file():
        print(f"quality: no data sets in {arguments.data}; name their directory: make quality DATA=…", file=sys.stderr)
        return NO_DATA
    found = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(leakage.prepared(arguments.data, Path(folder)))
        for service in arguments.scorers:
            try:
                found[service] = one(service, arguments.data, arguments.most, with_peers=arguments.peers)
            except Unusable as error:
                print(f"quality: {error}", file=sys.stderr)
                return 1
    _write({service: found[service] for service in SETS if service in found})
    return 0


def _write(found: Mapping[str, Any]) -> None:
    FIGURES.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    plots.draw(found, IMAGES)
    PAGE.write_text(report.written(found, plots.shown(found)))


def one(service: str, data: Path, most: int, *, with_peers: bool) -> dict[str, Any]:
    """Everything that is measured of one scorer, on at most about `most` rows of a source."""
    began = time.monotonic()
    _say(f"{service}: reading")
    sources = [source.of_most(most) for maker in SETS[service] for source in maker(data)]
    scored = Scored(next(offer for offer in SCORERS if offer.service == service))
    known = _peers(sources) if with_peers and service == "toxicity" else {}
    found: dict[str, Any] = {"version": scored.version, "most": most, "machine": _machine(), "sources": []}
    for number, source in enumerate(sources, 1):
        others = [other for other in sources if other.metric == source.metric and other.name != source.name]
        found["sources"].append(measured(source, others, scored, known))
        told = found["sources"][-1].get("auroc", found["sources"][-1]["flagged_good"])
        _say(f"{service}: {number}/{len(sources)} {source.metric}, {source.name}: {len(source.rows)} rows, {told}")
    found["rates"] = scored.rates()
    if service == "guard":
        found["spans"] = spans.measured(scored, data, 4 * most, with_peers=with_peers)
    if service == "quality":
        found["libraries"] = libraries.measured(scored, data, most)
    return found | {"seconds": round(time.monotonic() - began)}


def _peers(sources: list[Source]) -> Mapping[str, Mapping[str, float]]:
    texts = [row.text for source in sources if source.metric in peers.METRICS for row in source.rows]
    return peers.values(list(dict.fromkeys(texts)))


def _machine() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0))
    return {"cores": cores, "python": platform.python_version(), "load_before": round(os.getloadavg()[0], 1)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make quality", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=ROOT.parent / "shared/data")
    parser.add_argument("--scorers", type=_names, default=list(SETS), help=f"with commas, of {', '.join(SETS)}")
    parser.add_argument("--most", type=int, default=500, help="rows of a source")
    parser.add_argument("--peers", action="store_true", help="also install and measure other libraries")
    parser.add_argument("--page", action="store_true", help="write the page and the plots anew from quality.json")
    return parser.parse_args()


def _names(given: str) -> list[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if unknown := [name for name in names if name not in SETS]:
        raise argparse.ArgumentTypeError(f"no such scorer: {', '.join(unknown)}; there are {', '.join(SETS)}")
    return names or list(SETS)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
