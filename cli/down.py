"""`tidemark down`: stop the embedded stack."""

import os
import signal
from typing import Annotated

import typer

from cli.options import Data
from cli.printing import data_directory, fail, say
from services.embedded.control_client import ControlClient, NotRunningError

Timeout = Annotated[float, typer.Option(help="How long an orderly stop may take (seconds).")]


def down(data: Data = None, timeout: Timeout = 120) -> None:
    """Stop the embedded stack: the consumers finish first. What does not end in time is killed."""
    directory = data_directory(data)
    client = ControlClient(directory)
    if not client.running:
        say(f"nothing runs on {directory.root}")
        return
    supervisor = directory.description().get("pid")
    try:
        client.stop()
    except NotRunningError as error:
        say(str(error))
    if client.until_gone(supervisor, timeout):
        say("stopped")
        return
    if supervisor is not None:
        os.kill(supervisor, signal.SIGKILL)  # the kernel ends every part with it
    if not client.until_gone(supervisor, 5):
        fail(f"process {supervisor} does not end", code=1)
    say("killed: it did not stop in time")
