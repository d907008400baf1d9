"""The supervisor as a process of its own: `python -m services.embedded`."""

import os
import sys

from services.embedded.app import run
from services.embedded.broker import BrokerError
from services.embedded.config import Config
from services.embedded.data_directory import AlreadyRunningError
from services.embedded.journal import Journal
from services.embedded.kafka.jars import KafkaMissingError
from services.embedded.plan import plan
from services.embedded.preparation import PreparationError


def main() -> int:
    """Run until told to stop; 2 for wrong settings, another supervisor, or a broker or tables that do not come up."""
    try:
        planned = plan(Config(), os.environ)
        run(planned, Journal(planned.data.log("supervisor")))
    except (ValueError, AlreadyRunningError, BrokerError, KafkaMissingError, PreparationError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
