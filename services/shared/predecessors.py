"""Takes a dead process of the same service out of its group, which else waits for it a whole session and more."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from services.shared import kafka as clusters
from services.shared.kafka import Kafka

log = logging.getLogger(__name__)


class Membership:
    """The memory of one group's members on this machine: `state/members/<group>.<pid>.json` in the data directory.

    A process that was killed cannot leave its group. Its successor leaves in its name: the member id is the broker's
    own and is used by nobody else, so a member that lives is never put out. Where nothing is remembered (another
    machine, another data directory) the session timeout decides as ever.
    """

    def __init__(self, data: Path, group: str) -> None:
        self._group, self._folder = group, data / "state" / "members"
        self._path = self._folder / f"{group}.{os.getpid()}.json"
        self._member_id = ""

    def remember(self, member_id: str) -> None:
        """Write down that this process is the member `member_id`."""
        if member_id == self._member_id:
            return
        self._member_id = member_id
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = self._path.with_suffix(".half")
        half.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "member_id": member_id}))
        half.replace(self._path)

    def forget(self) -> None:
        """Say that the process has left the group by itself."""
        self._path.unlink(missing_ok=True)
        self._member_id = ""

    async def bury(self, kafka: Kafka) -> list[str]:
        """Leave the group for every member on this machine whose process is dead; their member ids.

        Never fails: where Kafka does not answer, or does not know the member, its session ends as ever.
        """
        dead = dict(self._dead())
        if not dead:
            return []
        try:
            await clusters.answer(self._leave(kafka, list(dead.values())))
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("The group %s is not told of its dead members: %r; it notices by itself", self._group, error)
            return []
        for path in dead:
            path.unlink(missing_ok=True)
        return list(dead.values())

    async def _leave(self, kafka: Kafka, members: list[str]) -> None:
        admin: AIOKafkaAdminClient = kafka.admin()
        try:
            await admin.start()
            coordinator = await admin.find_coordinator(self._group)
            for member in members:
                response = await admin._send_request(LeaveGroupRequest(self._group, member), coordinator)
                log.info("Left %s for the dead member %s: code %d", self._group, member, response.error_code)
        finally:
            await admin.close()

    def _dead(self) -> Iterator[tuple[Path, str]]:
        for path in self._folder.glob(f"{self._group}.*.json"):
            if path.name.removeprefix(f"{self._group}.").removesuffix(".json").isdigit():
                with suppress(OSError, ValueError, KeyError, TypeError):
                    found = json.loads(path.read_text())
                    if found["host"] == socket.gethostname() and not _lives(int(found["pid"])):
                        yield path, str(found["member_id"])


def _lives(pid: int) -> bool:
    if pid == os.getpid():
        return False  # in a container every process has the same number: this file is an earlier one's
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
