"""`make demo`: the whole loop on one machine.

Environment: DEMO_SECONDS ends it by itself that many seconds after the first call; DEMO_SUMMARY names a file for the
figures (JSON). Exit code 0 when every acknowledged call is accounted for and, with DEMO_SECONDS, the loop closed;
1 otherwise; 2 when the stack did not start.
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from demo.conductor import Conductor
from demo.stack import Stack, StackError
from demo.story import Story
from services.embedded.endings import endings
from services.embedded.loopback import reached_directly

DATA = Path(".tidemark/demo")


def main() -> int:
    """Runs the demo; returns its exit code."""
    logging.basicConfig(level=logging.WARNING)
    os.environ.update(reached_directly(os.environ))
    try:
        seconds = float(os.environ["DEMO_SECONDS"]) if os.environ.get("DEMO_SECONDS") else None
    except ValueError:
        print(f"DEMO_SECONDS is {os.environ['DEMO_SECONDS']!r}: give a number of seconds", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in endings():
        signal.signal(number, lambda *_: stop.set())
    story = Story(coloured=sys.stdout.isatty())
    story.say("starting", "the embedded stack: broker, ClickHouse and fourteen services; Ctrl-C ends everything")
    stack: Stack | None = None
    try:
        stack = Stack(DATA.resolve(), {})
        summary = Conductor(stack, story, stop).run(seconds)
    except StackError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    finally:
        if stack is not None:
            stack.stop()
    print("\n" + "\n".join(f"  {line}" for line in summary.lines()) + "\n", flush=True)
    if os.environ.get("DEMO_SUMMARY"):
        summary.write(Path(os.environ["DEMO_SUMMARY"]))
    complete = not summary.lost and not summary.duplicates
    return 0 if complete and (summary.closed or seconds is None) else 1


if __name__ == "__main__":
    sys.exit(main())
