"""An application: emits calls at a steady rate through the real client until its standard input ends.

`python -m tests.support.campaign.emitter JSON`; prints what became of the calls as one JSON object.
"""

import json
import sys
import threading
import time

from tidemark import Client

TICK_SECONDS = 0.01
CONTEXT = "The harbour office sells the tide tables, number {0}, which are printed every spring. " * 3
PROMPT = "Where do I get tide table number {0}, and what does it cost? "
RESPONSE = "The harbour office sells tide table number {0} for four dollars. It is printed every spring. " * 4


def main():
    """Emit, wait until nothing is in memory or in the spool, and tell."""
    told = json.loads(sys.argv[1])
    client = Client(**told["client"])
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    longest = emit(client, told["calls_per_second"], ending)
    until = time.monotonic() + told["settle_seconds"]
    while time.monotonic() < until and (client.stats().queued or client.stats().spooled):
        time.sleep(0.1)
    client.close()
    sys.stdout.write(json.dumps(client.stats()._asdict() | {"longest_emit_seconds": longest}))


def emit(client, calls_per_second, ending):
    """At that rate until the end; what is late is made up for. The longest that `emit` took, in seconds."""
    began, number, longest = time.monotonic(), 0, 0.0
    while not ending.wait(TICK_SECONDS):
        while number < (time.monotonic() - began) * calls_per_second:
            at = time.perf_counter()
            client.emit(
                prompt=PROMPT.format(number),
                response=RESPONSE.format(number),
                context=[CONTEXT.format(number)],
                duration_seconds=0.05,
                time_to_first_token_seconds=0.01,
            )
            longest = max(longest, time.perf_counter() - at)
            number += 1
    return longest


if __name__ == "__main__":
    main()
