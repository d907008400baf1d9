"""Responses that give something away, made from texts at hand: system prompts, canary strings, protected texts."""

import json
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.quality.rows import SEED, Row, Source, distinct, read, some

CASES = 1000
WORDS = 12  # of a verbatim leak
NOTE = "generated; nothing is learnt"
Made = tuple[str, str, str]  # a secret text, an innocent response, the same response with the leak


def prepared(data: Path, folder: Path) -> Mapping[str, str]:
    """Writes the canaries and protected texts that `sources` leaks to `folder`; guard's settings that name them."""
    texts = folder / "protected"
    texts.mkdir()
    for number, (secret, _, _) in enumerate(_made(data)):
        (texts / f"{number}.txt").write_text(secret)
    canaries = folder / "canaries.json"
    canaries.write_text(json.dumps({"other": _canaries()}))
    return {"TIDEMARK_GUARD_CANARIES": str(canaries), "TIDEMARK_GUARD_PROTECTED_TEXTS": str(texts)}


def sources(data: Path) -> Iterator[Source]:
    """Each kind of leak: twelve words of another text, or a canary, inside an innocent response."""
    made = _made(data)
    for metric in ("system_prompt_leak", "protected_text_leak"):
        rows = [row for each in made for row in _verbatim(each, metric)]
        yield Source("twelve words, verbatim", metric, "unseen", rows, NOTE)
    canaries = zip(_canaries(), made, strict=False)
    rows = [row for canary, each in canaries for row in _marked(canary, each)]
    yield Source("canary strings", "canary_leak", "unseen", rows, NOTE)


def _made(data: Path) -> list[Made]:
    """Secrets are passages, carriers are answers of models: nothing of the one stands in the other."""
    choose = random.Random(SEED)
    secrets = [text for text in distinct([row["context"] for row in read(data, "grounded_edits")]) if len(text) > 300]
    carriers = distinct([row["response"] for row in read(data, "model_versions")])
    found = []
    for carrier in some([text for text in carriers if len(text) > 60], CASES // 2):
        secret = choose.choice(secrets)
        found.append((secret, carrier, _inside(carrier, run(secret, choose), choose)))
    return found


def run(secret: str, choose: random.Random) -> str:
    """WORDS words in a row, with the signs between them; a sign alone is no word."""
    words = list(re.finditer(r"\S*\w\S*", secret))
    at = choose.randrange(len(words) - WORDS + 1)
    return secret[words[at].start() : words[at + WORDS - 1].end()]


def _canaries() -> list[str]:
    choose = random.Random(SEED)
    return ["".join(choose.choices("abcdefghjkmnpqrstuvwxyz23456789", k=16)) for _ in range(CASES // 2)]


def _inside(carrier: str, leak: str, choose: random.Random) -> str:
    words = carrier.split(" ")
    at = choose.randint(0, len(words))
    return " ".join([*words[:at], leak, *words[at:]])


def _verbatim(made: Made, metric: str) -> Iterator[Row]:
    secret, carrier, leaking = made
    asked = {"messages": [{"role": "system", "content": secret}]} if metric == "system_prompt_leak" else {}
    for text, label in ((carrier, 0), (leaking, 1)):
        yield Row({**asked, "response": text}, text, label)


def _marked(canary: str, made: Made) -> Iterator[Row]:
    leaking = _inside(made[1], canary, random.Random(canary))
    yield Row({"response": made[1]}, made[1], 0)
    yield Row({"response": leaking}, leaking, 1)
