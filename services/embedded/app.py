"""One run of the embedded stack, from settings to the last process."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress

from services.embedded import control, report
from services.embedded.endings import endings
from services.embedded.plan import Plan
from services.embedded.preparation import Prepared
from services.embedded.supervisor import Supervisor

_DESCRIBE_SECONDS = 1.0


def run(plan: Plan, tell: Callable[[str], None]) -> None:
    """Run the stack until it is told to stop, by a signal or through its port.

    `tell` is given one sentence an event. Raises `AlreadyRunningError` where another supervisor uses the data
    directory, and whatever kept the broker or the tables from being prepared.
    """
    # While a broker is replaced aiokafka says so a hundred times a second; the supervisor says it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with plan.data.locked():
        plan.data.keep_broker(plan.broker.engine.kind)  # not by a start that came to nothing before
        asyncio.run(_run(plan, tell))


async def _run(plan: Plan, tell: Callable[[str], None]) -> None:
    supervisor = Supervisor(plan, Prepared(plan), tell)
    loop = asyncio.get_running_loop()
    for number in endings():
        loop.add_signal_handler(number, supervisor.stop)
    orders = control.Orders(lambda: report.report(supervisor, os.getpid()), supervisor.stop, supervisor.restart)
    server = control.server(control.application(orders, plan.data.secret()), plan.ports.control)
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(_describe(supervisor))]
    try:
        await supervisor.run()
    finally:
        server.should_exit = True
        tasks[1].cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
        plan.data.supervisor_file.unlink(missing_ok=True)


async def _describe(supervisor: Supervisor) -> None:
    written: dict[str, object] = {}
    while True:
        if (described := report.brief(supervisor, os.getpid())) != written:
            with suppress(OSError):  # a full disk: tried again
                supervisor.plan.data.describe(described)
                written = described
        await asyncio.sleep(_DESCRIBE_SECONDS)
