"""What guard is worth: spans of personal data, generated values, false spans, time."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from faker import Faker

from services.guard.guard.pii import personal_data
from services.guard.guard.secrets import secrets
from services.guard.guard.tagger import Tagger
from services.guard.training import examples
from services.guard.training.examples import Row
from services.shared.training_rows import rows

KINDS = ("PERSON", "ADDRESS", "PHONE", "EMAIL", "CREDIT_CARD", "IBAN", "SSN", "IP")
VALUES = 10_000
Span = tuple[int, int, str]


def measured(tagger: Tagger, data: Path) -> dict[str, Any]:
    """Everything but what is trained without a part of the data."""
    return {
        "values": values(tagger, VALUES),
        "near misses": near_misses(tagger, VALUES // 10),
        "false spans in 1000 words": falsely(tagger, data),
        "microseconds of processor time a text": times(tagger, data),
        "set, learnt": spans(tagger, examples.personal(data)),
    }


def spans(tagger: Tagger, known: Iterable[Row]) -> dict[str, Any]:
    """Precision, recall and F1 of each kind, and of all together."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in known:
        found = [(each.start, each.end, each.kind) for each in personal_data(row.tagged.text, tagger)]
        compare(
            [each for each in found if each[2] in KINDS],
            [each for each in row.tagged.spans if each[2] in KINDS],
            counts,
        )
    result = {kind: rates(*(counts[kind, what] for what in ("hit", "missed", "extra"))) for kind in KINDS}
    result["all"] = rates(*(sum(counts[kind, what] for kind in KINDS) for what in ("hit", "missed", "extra")))
    return result


def compare(found: Sequence[Span], known: Sequence[Span], counts: Counter[tuple[str, str]]) -> None:
    """Counts hits: the same kind, and characters in common at least half of those of both; each span once."""
    left = list(found)
    for span in known:
        hit = next((each for each in left if each[2] == span[2] and _overlap(each, span) >= 0.5), None)
        counts[span[2], "missed" if hit is None else "hit"] += 1
        if hit:
            left.remove(hit)
    for each in left:
        counts[each[2], "extra"] += 1


def _overlap(one: Span, other: Span) -> float:
    return max(0, min(one[1], other[1]) - max(one[0], other[0])) / (max(one[1], other[1]) - min(one[0], other[0]))


def rates(hit: int, missed: int, extra: int) -> dict[str, float]:
    """Of spans; 0 where there are none."""
    return {
        "precision": round(hit / max(1, hit + extra), 3),
        "recall": round(hit / max(1, hit + missed), 3),
        "f1": round(2 * hit / max(1, 2 * hit + missed + extra), 3),
        "spans": hit + missed,
    }


def makers(seed: int) -> dict[str, Callable[[], str]]:
    """A generator of values of each kind that has a syntax."""
    Faker.seed(seed)
    fake = Faker(["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL"])
    american = fake["en_US"]
    return {
        "EMAIL": fake.email,
        "CREDIT_CARD": american.credit_card_number,
        "IBAN": fake.iban,
        "SSN": american.ssn,
        "IP": lambda: american.ipv4() if Random(american.random_int()).random() < 0.5 else american.ipv6(),  # noqa: S311
        "PHONE": lambda: f"{american.country_calling_code()} {american.msisdn()[3:]}",
    }


def values(tagger: Tagger, count: int) -> dict[str, float]:
    """The share of generated values that is found as what it is, in a plain sentence without a cue."""
    return {
        kind: round(sum(_found(tagger, make(), kind) for _ in range(count)) / count, 4)
        for kind, make in makers(7).items()
    }


def near_misses(tagger: Tagger, count: int) -> dict[str, float]:
    """The share of values with one digit changed that is found all the same."""
    random = Random(7)  # noqa: S311
    changed = {kind: make for kind, make in makers(8).items() if kind in ("CREDIT_CARD", "IBAN")}
    return {
        kind: round(sum(_found(tagger, _spoilt(make(), random), kind) for _ in range(count)) / count, 4)
        for kind, make in changed.items()
    }


def _found(tagger: Tagger, value: str, kind: str) -> bool:
    text = f"Here it is: {value}, as you asked."
    return any(each.kind == kind and text[each.start : each.end] == value for each in personal_data(text, tagger))


def _spoilt(value: str, random: Random) -> str:
    place = random.choice([place for place, each in enumerate(value) if each.isdigit()])
    return value[:place] + str((int(value[place]) + random.randint(1, 9)) % 10) + value[place + 1 :]


def falsely(tagger: Tagger, data: Path) -> dict[str, dict[str, float]]:
    """Spans in 1,000 words of modules that were not learnt from, and of short requests, names and places aside."""
    requests = [row["text"] for row in rows(data, "drift_topic")[5::10]]
    answers = [row["response"] for row in rows(data, "instructions")[1::3]]
    texts = {"code": list(examples.code(examples.HELD_OUT_MODULES)), "requests": requests, "answers": answers}
    return {name: _rate(tagger, listed) for name, listed in texts.items()}


def _rate(tagger: Tagger, texts: Sequence[str]) -> dict[str, float]:
    words = sum(len(text.split()) for text in texts)
    kinds = Counter(each.kind for text in texts for each in personal_data(text, tagger))
    secret = sum(len(secrets(text)) for text in texts)
    named = {kind: round(1000 * kinds[kind] / words, 3) for kind in ("PERSON", "ADDRESS")}
    other = sum(count for kind, count in kinds.items() if kind not in named)
    return {"personal data": round(1000 * other / words, 3), "secrets": round(1000 * secret / words, 3), **named}


def times(tagger: Tagger, data: Path) -> dict[str, float]:
    """Of one text, the best of three rounds."""
    answers = [row["response"] for row in rows(data, "instructions")[:500]]
    finders: dict[str, Callable[[str], object]] = {
        "personal data": lambda text: personal_data(text, tagger),
        "tagger alone": tagger.tag,
        "secrets": secrets,
    }
    found = {name: round(min(_time(find, answers) for _ in range(3)), 1) for name, find in finders.items()}
    return {**found, "mean characters": round(sum(map(len, answers)) / len(answers), 1)}


def _time(find: Callable[[str], object], texts: Sequence[str]) -> float:
    start = process_time()
    for text in texts:
        find(text)
    return 1e6 * (process_time() - start) / len(texts)
