"""Response and reference, where there are both."""

from collections.abc import Callable

from schemas.messages import Call
from services.shared.scoring import Missing, Result

Compare = Callable[[str, str], Result]


def compared(call: Call, compare: Compare) -> Result:
    """What `compare(response, reference)` says; what the call lacks is missing.

    An empty text is a text: a model that says nothing has said something wrong.
    """
    if call.reference is None:
        return Missing("reference")
    if call.answer is None:
        return Missing("response")
    return compare(call.answer, call.reference)
