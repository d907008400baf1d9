"""What the gateway, or the client before it, refused for good: kept beside the reason, for a person to mend."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LARGEST_FILE_BYTES = 16 * 2**20


class Rejects:
    """JSON lines `{rejected_at, id, field, message, remedy, event}`; two files of at most 16 MiB, the older `.1`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rest = b""  # of a line that a full disk took in part

    def add(self, item_id: str, reason: dict[str, str], event: Any) -> None:
        """Append one refused event as it was sent (masked); None where it could not be sent at all.

        Raises `OSError`; a line that a full disk took in part is completed with the next one.
        """
        line = {"rejected_at": datetime.now(UTC).isoformat(), "id": item_id, **reason, "event": event}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        file = os.open(self.path, flags, 0o600)
        try:
            lines = self._rest + (json.dumps(line, default=str) + "\n").encode()
            self._rest = lines[os.write(file, lines) :]
            full = os.fstat(file).st_size > LARGEST_FILE_BYTES
        finally:
            os.close(file)
        if self._rest:
            raise OSError(errno.ENOSPC, "the refusal was written in part")
        if full:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
