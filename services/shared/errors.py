"""Errors that decide what happens next."""

import os
from collections.abc import Mapping, Sequence


class Transient(Exception):
    """What is away now and may be back later: tried again for ever, with growing pauses.

    A service raises it from `handle`, `write`, `add`, `tick`, `record` or `step`, for what is no fault of the message.
    """


class Refused(Exception):
    """Kafka will never take these messages: the errors, by the position of each message among those published.

    Everything else that was published with them is acknowledged.
    """

    def __init__(self, errors: Mapping[int, BaseException]) -> None:
        first = next(iter(errors.values()))
        super().__init__(f"Kafka refuses what comes of it: {first!r}")
        self.errors = errors


class Unusable(Exception):
    """The process cannot do its work until a person changes something; it ends with `exit_code`.

    The text is a sentence that names the remedy.
    """

    exit_code = os.EX_UNAVAILABLE


class WrongSettings(ValueError):
    """Variables that are not understood: in `lines` a sentence for each, with the remedy and without any password."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


class Again(Exception):
    """The process has to start again, and nothing is wrong with it; it ends with `exit_code`."""

    exit_code = os.EX_TEMPFAIL
