"""What a look at the machine or the stack can find."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["good", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what is so, and where it is not good, what to do."""

    about: str
    grade: Grade
    what: str
    remedy: str = ""


def good(about: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(about, "good", what)


def warning(about: str, what: str, remedy: str) -> Finding:
    """It works, but not as it should, or not for long."""
    return Finding(about, "warning", what, remedy)


def problem(about: str, what: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(about, "problem", what, remedy)
