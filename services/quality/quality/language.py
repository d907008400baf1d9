"""Whether a response is in another language than its prompt asks for."""

import re
from collections.abc import Callable, Iterator, Mapping

from schemas.messages import Call, Span
from services.quality.quality.language_requests import asked_for, left_open, mentioned
from services.quality.quality.languages import UNLEARNT, Languages, lettered
from services.shared.scoring import Measured, Metric, Missing, Result

MISMATCH = Metric("language_mismatch", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
EXPECTED_SHARE = 0.9  # of responses that are in a language that was asked for, before they are read
OTHERS = 19  # languages that the rest are shared by
LONG_ENOUGH, SURE = 20, 0.8  # characters of a line, and its probability, to count as one of the prompt's languages
MOST_LINES = 40
FEWEST_LETTERS = 30  # of Latin script: "Paris" and "Miguel de Cervantes Saavedra" are in no language
_QUOTED = re.compile(r'"[^"\n]+"|“[^“”\n]+”|«[^«»\n]+»|„[^„“”\n]+[“”]|「[^「」\n]+」')


def mismatch(call: Call, languages: Languages) -> Result:
    """The probability that the response is in none of the languages that its prompt is in or asks for.

    A prompt that asks for a translation or names a language in which to answer expects that one, and so does a system
    prompt; a prompt in several languages, or one that mentions a language, may be answered in any of them, and so may
    one whose system prompt names a language in which to write. Before the response is read it is taken to fit with
    0.9; one without letters fits, and so does one of fewer than 30 letters of Latin script. What stands in quotes is no
    evidence of the prompt's own language, and may be answered in. Not scored where prompt or response are in a language
    that is known not to be learnt.
    The evidence is the response, its kind the two languages (`en>fr`).
    """
    prompt, response = call.question, call.answer
    if prompt is None or response is None:
        return Missing("prompt" if prompt is None else "response")
    found = languages.guess(response).code
    if not found or _is_short(response):
        return Measured(0.0)
    instructions = f"{call.system_prompt or ''}\n{prompt}"
    asked = asked_for(instructions)
    if asked is None:
        return Measured(0.0)
    whole, unquoted = languages.guess(prompt), languages.guess(_QUOTED.sub(" ", prompt))
    own = unquoted if unquoted.code else whole
    if UNLEARNT in (found, *(() if asked else (own.code,))):
        return Missing(f"{'response' if found == UNLEARNT else 'prompt'} in a learnt language")
    if not asked and not own.code:
        return Missing("prompt")
    # A prompt that is itself hard to tell says little about what was expected.
    known = 1.0 if asked else own.probability
    expected = asked or frozenset({own.code, whole.code, *_others(prompt, languages)}) | mentioned(prompt)
    expected |= left_open(instructions)
    value = known * _unexpected(min(1.0, sum(languages.probability(response, code) for code in sorted(expected))))
    return Measured(value, _evidence(sorted(asked or {own.code}), response, languages) if value >= 0.1 else ())


def _is_short(response: str) -> bool:
    letters = lettered(response).replace(" ", "")
    return len(letters) < FEWEST_LETTERS and all(each < "\u0250" or "\u1e00" <= each <= "\u1eff" for each in letters)


def _others(prompt: str, languages: Languages) -> Iterator[str]:
    """The languages of lines that are surely in one: an instruction, and the text that it is about."""
    lines = [line for line in prompt.split("\n", MOST_LINES)[:MOST_LINES] if len(line) >= LONG_ENOUGH]
    for line in lines:
        for part in {line, line[: len(line) // 2], line[len(line) // 2 :]}:
            found = languages.guess(part)
            if found.probability >= SURE:
                yield found.code


def _unexpected(fitting: float) -> float:
    """The posterior that the response does not fit, where `fitting` is the share of the likelihood that does."""
    against = (1 - EXPECTED_SHARE) * (1 - fitting) / OTHERS
    return against / (against + EXPECTED_SHARE * fitting) if against else 0.0


def _evidence(expected: list[str], response: str, languages: Languages) -> tuple[Span, ...]:
    found = languages.guess(response)
    kind = f"{'|'.join(expected[:8])}>{found.code}"
    return (Span(field="response", start=0, end=len(response), kind=kind, value=round(found.probability, 4)),)


def measures(languages: Languages) -> Mapping[Metric, Callable[[Call], Result]]:
    """The metrics, by a model of languages."""
    return {MISMATCH: lambda call: mismatch(call, languages)}
