"""A Faust worker as its manual has it: `python -m tests.support.naive_faust`, to show what it loses by itself.

`MODE` is `raise` (a plain loop whose body fails) or `decode` (a serializer, and `take`); what happens is written to
`LEDGER`, a word a line.
"""

import os
import sys
from pathlib import Path

import faust

app = faust.App(
    os.environ["GROUP"],
    broker=f"kafka://{os.environ['BOOTSTRAP']}",
    store="memory://",
    datadir=os.environ["FOLDER"],
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    broker_commit_interval=0.2,
    consumer_auto_offset_reset="earliest",
)
raises = os.environ["MODE"] == "raise"
topic = app.topic(os.environ["TOPIC"], value_serializer="raw" if raises else "json", internal=True)


def say(word):
    """Write a word down."""
    with Path(os.environ["LEDGER"]).open("a") as file:
        file.write(f"{word}\n")


@app.agent(topic)
async def agent(stream):
    """The loop of the manual."""
    if raises:
        async for _ in stream:
            say("seen")
            raise ValueError("the body fails")
    async for values in stream.take(4, within=0.1):
        say(f"took{len(values)}")
    say("ended")


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "--without-web", "-l", "warn"]
    app.main()
