"""Starting a supervisor that goes on when its starter ends."""

import os
import subprocess
import sys

from services.embedded.control_client import ControlClient
from services.embedded.plan import Plan


def detach(plan: Plan) -> subprocess.Popen[bytes]:
    """Start the supervisor in a session of its own; what it prints goes to its log."""
    variables = {
        **os.environ,
        "TIDEMARK_DATA": str(plan.data.root),
        "TIDEMARK_EMBEDDED_PORT_BASE": str(plan.ports.base),
    }
    with plan.data.log("supervisor").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.embedded"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=variables,
            start_new_session=True,
        )


def until_complete(plan: Plan, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until every service was started; False where the supervisor ended or time ran out."""
    client = ControlClient(plan.data)
    for _ in range(int(seconds)):
        if client.until(lambda status: bool(status["complete"]), 1.0):
            return True
        if process.poll() is not None:
            return False
    return False
