"""Runs in the peers' own environment: a JSON list of texts in, each peer's values of them out."""

import json
import sys

from better_profanity import profanity
from profanity_check import predict_prob


def main() -> None:
    """Judge every text by every peer."""
    texts = json.load(sys.stdin)
    found = {
        "alt-profanity-check": [float(value) for value in predict_prob(texts)] if texts else [],
        "better-profanity": [float(profanity.contains_profanity(text)) for text in texts],
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
