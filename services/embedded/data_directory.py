"""The one directory that holds everything, its secrets, and the lock that lets one stack use it."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDERS = ("logs", "clickhouse", "state", "spool/gateway", "references")


class AlreadyRunningError(Exception):
    """Another supervisor uses the same data directory."""


class DataDirectory:
    """Names of the files in the data directory `root`, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.api_key_file = self.root / "api-key"
        self.secret_file = self.root / "secret"
        self.supervisor_file = self.root / "supervisor.json"
        self.broker_file = self.root / "broker"
        self.lock_file = self.root / "supervisor.lock"
        self.logs = self.root / "logs"
        self.state = self.root / "state"
        self.spool = self.root / "spool" / "gateway"

    def create(self) -> None:
        """Make the folders, for the owner's eyes only; what is there stays."""
        for folder in (self.root, *(self.root / name for name in FOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self, part: str) -> Path:
        """Where a part's output goes."""
        return self.logs / f"{part}.log"

    def api_key(self) -> str:
        """The key of the embedded stack, made at first use."""
        return _kept(self.api_key_file, "tdm_")

    def broker(self, wanted: str) -> str:
        """The kind of broker to run on the directory: the one that its data belong to; else `wanted`, or `tansu`.

        Raises `ValueError` where another one is wanted: its log, and every offset that is stored, would be lost.
        """
        had = self.broker_kind()
        if had and wanted not in ("", had):
            raise ValueError(f"{self.root} has its data on {had}: use --broker {had}, or another directory with --data")
        return had or wanted or "tansu"

    def keep_broker(self, kind: str) -> None:
        """Let the directory's data belong to a kind of broker from here on."""
        if not self.broker_file.exists():
            _write_private(self.broker_file, kind)

    def broker_kind(self) -> str:
        """The kind of broker that the directory's data belong to; empty where there are none."""
        return self.broker_file.read_text().strip() if self.broker_file.exists() else ""

    def secret(self) -> str:
        """What the services show each other, made at first use."""
        return _kept(self.secret_file, "")

    def describe(self, supervisor: Mapping[str, Any]) -> None:
        """Write `supervisor.json` in one step: a reader sees the old text or the whole new one."""
        fresh = self.supervisor_file.with_suffix(".tmp")
        fresh.write_text(json.dumps(supervisor, indent=2))
        fresh.replace(self.supervisor_file)

    def description(self) -> dict[str, Any]:
        """What the running or the last supervisor wrote; empty where there was none."""
        if not self.supervisor_file.exists():
            return {}
        described: dict[str, Any] = json.loads(self.supervisor_file.read_text())
        return described

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory; the system lets go of it when the process ends, however it ends.

        Raises `AlreadyRunningError` where another process holds it.
        """
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError(str(self.root)) from None
            yield
        finally:
            os.close(descriptor)

    def in_use(self) -> bool:
        """Whether a supervisor holds the directory at this moment."""
        if not self.lock_file.exists():
            return False
        try:
            with self.locked():
                return False
        except AlreadyRunningError:
            return True


def _kept(file: Path, prefix: str) -> str:
    if not file.exists():
        _write_private(file, prefix + secrets.token_urlsafe(32))
    return file.read_text().strip()


def _write_private(file: Path, text: str) -> None:
    fresh = file.with_suffix(".tmp")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
