"""From joining a group to leaving it, again and again: new logs, lost brokers, the breaker."""

import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from services.shared import metrics
from services.shared.breaker import Marker, Tripped
from services.shared.consumer import NewBrokerRun
from services.shared.process import Process
from services.shared.watchdog import Progress
from services.shared.worker import Stopping

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0


async def keep(name: str, process: Process, progress: Progress, consume: Callable[[], Awaitable[None]]) -> None:
    """Run `consume` until the process is to stop; it begins again after a new broker run or a lost connection.

    While the marker of a tripped breaker lies in the data directory it does not run: the service leaves its group,
    is not ready, and goes on when the marker is removed.
    """
    marker = Marker(process.config.data, process.config.name_of(name))
    while not process.stopping.is_set():
        if await held(name, process, marker, progress):
            continue
        try:
            await consume()
        except Stopping:
            return
        except Tripped as error:
            marker.set(str(error), process.clock())
        except NewBrokerRun as error:
            log.warning("The broker's log is another one for %s: %s; starting from its beginning", name, error)
        except (KafkaError, OSError) as error:
            process.health.unready(name, f"Kafka does not answer: {error}")
            log.warning("%s has lost Kafka: %r; joining again", name, error)
            await process.stopped_within(AGAIN_SECONDS)
        finally:
            progress.left()


async def held(name: str, process: Process, marker: Marker, progress: Progress) -> bool:
    """Whether the breaker holds the service; returns when its marker is removed, or the process is to stop.

    Waiting for a person counts as progress: the watchdog does not end what is stopped.
    """
    reason = marker.reason()
    metrics.STOPPED.labels(name).set(1 if reason else 0)
    if reason is None:
        return False
    process.health.unready(name, f"stopped: {reason}. When the cause is removed: `tidemark resume {marker.name}`")
    log.error("%s is stopped until a person resumes it: %s", name, reason)
    while not await process.stopped_within(AGAIN_SECONDS) and marker.reason():
        progress.waited()
    return True
