"""How likely a response refuses what it was asked."""

from collections.abc import Callable, Mapping

from schemas.messages import Call, Span
from services.quality.quality.refusal_rules import LETTER, QUOTED, REFUSAL
from services.shared.scoring import Measured, Metric, Missing, Result

REFUSAL_RISK = Metric("refusal", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
READ, OPENING = 600, 250  # characters: who refuses says so at once
AT_ONCE, LATER, NEVER, IN_A_LETTER = 0.95, 0.6, 0.02, 0.2
LONG_ANSWER, ANSWERED = 1_500, 0.5  # characters after the refusal: it was answered all the same


def refusal(call: Call) -> Result:
    """The probability that the response refuses: that it says, in the first person, that it will not do what was asked.

    Rules for twenty languages, read in the first 600 characters; probabilities are set, not learnt. An apology, a
    talk about refusal, words in quotes, a letter that declines, or not knowing the answer is no refusal. What goes on
    for 1,500 characters after it counts half. The evidence is the phrase.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    head = text[:READ]
    for match in REFUSAL.finditer(head):
        if QUOTED.search(head, 0, match.start()):
            continue
        value = AT_ONCE if match.start() <= OPENING else LATER
        if len(text) - match.end() > LONG_ANSWER:
            value *= ANSWERED
        if LETTER.match(head):
            value = IN_A_LETTER
        return Measured(value, (Span(field="response", start=match.start(), end=match.end(), kind="refusal"),))
    return Measured(NEVER)


MEASURES: Mapping[Metric, Callable[[Call], Result]] = {REFUSAL_RISK: refusal}
