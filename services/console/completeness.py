"""The page's line on what is stored and what is not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
SHOWN = 5
STALE_SECONDS = 60.0
STALE_PAUSES = 3


def completeness(check: Row | None, now: datetime) -> dict[str, Any]:
    """What the line shows of the writer's last check: `state` is complete, missing or unsure, `verdict` says it.

    A check that is old tells nothing of now, whatever it found: unsure. The oldest gaps are named, what is missing
    before what is on its way.
    """
    if check is None:
        return {"state": "unsure", "verdict": "the writer has not checked yet", "check": None, "gaps": [], "more": 0}
    missing = check["missing_offsets"] + check["missing_calls"]
    overdue_since = check["checked_at"] - timedelta(seconds=check["grace_seconds"])
    gaps = [{**gap, "what": _what(gap), "overdue": gap["since"] <= overdue_since} for gap in check["gaps"]]
    state, verdict = _verdict(check, missing, now)
    return {
        "state": state,
        "verdict": verdict,
        "check": check,
        "missing": missing,
        "pending": check["pending_offsets"] + check["pending_calls"],
        "gaps": sorted(gaps, key=lambda gap: gap["since"])[:SHOWN],
        "more": max(0, len(gaps) - SHOWN),
    }


def _verdict(check: Row, missing: int, now: datetime) -> tuple[str, str]:
    stale_seconds = max(STALE_SECONDS, STALE_PAUSES * check["pause_seconds"])
    if (now - check["checked_at"]).total_seconds() > stale_seconds:
        return "unsure", "not checked lately: the writer or what it asks is away"
    if missing:
        return "missing", "the log or a client has what the store has not"
    if not check["whole"]:
        return "unsure", "the whole store could not be read since the writer started: only recent calls were checked"
    return "complete", "everything that was acknowledged is accounted for or on its way"


def _what(gap: Row) -> str:
    """A gap in words.

    >>> _what({"kind": "offsets", "place": "calls.v1|3", "first": 15, "last": 16})
    'calls.v1, partition 3: offsets 15 to 16'
    >>> _what({"kind": "calls", "place": "acme|0199", "first": 4, "last": 4, "subject": "shop in production"})
    'shop in production (acme): call 4 of client 0199'
    """
    whose, _, rest = gap["place"].partition("|")
    several = gap["last"] > gap["first"]
    span = f"{'s' if several else ''} {gap['first']:,}" + (f" to {gap['last']:,}" if several else "")
    if gap["kind"] == "offsets":
        return f"{whose}, partition {rest}: offset{span}"
    owner = f"{gap['subject']} ({whose})" if gap["subject"] else whose
    return f"{owner}: call{span} of client {rest}"
