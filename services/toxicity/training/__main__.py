"""Train the head: `python -m services.toxicity.training DATA`; two minutes on two cores."""

import argparse
import json
from pathlib import Path

import numpy as np

from services.shared.encoder import Encoder, EncoderOptions
from services.toxicity import model
from services.toxicity.toxicity import readable
from services.toxicity.training import examples, fitting, report

SEED = 7


def main() -> None:
    """Read, embed, fit, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, default=model.BUILTIN)
    parser.add_argument("--leave-one-out", action="store_true", help="also measure each source on a head without it")
    arguments = parser.parse_args()
    encoder = Encoder.load(EncoderOptions(models=arguments.models, threads=2, cache_entries=65_536))
    found = examples.read(arguments.data, seed=SEED)
    vectors = encoder.encode([readable(example.text) for example in found])
    held_out = np.array([example.held_out for example in found])
    head = fitting.fit(found, vectors, held_out=held_out, seed=SEED)
    head = report.shifted(head, encoder, arguments.data)
    model.save(head, arguments.output, encoder_version=encoder.version)
    measured = {"sources": report.by_source(head, found, vectors, held_out=held_out)}
    if arguments.leave_one_out:
        measured["unseen_sources"] = report.unseen(found, vectors, held_out=held_out, seed=SEED)
    measured["clean"] = report.clean(
        model.load(arguments.output, encoder_version=encoder.version), encoder, arguments.data
    )
    print(json.dumps(measured, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
