"""Bytes under keys, in a directory or in anything that fsspec opens."""

import os
import shutil
from contextlib import suppress
from datetime import date
from itertools import takewhile
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from services.shared.errors import Unusable
from services.shared.settings import SharedSettings


class ObjectStore(Protocol):
    """Keys are `YYYY-MM-DD/…` with slashes. Methods block, and are safe to call from several threads."""

    def put(self, key: str, data: bytes) -> None:
        """Keep `data`; durable when this returns. The same key again must come with the same data."""

    def get(self, key: str, most: int) -> bytes:
        """What is kept, at most `most` bytes of it; `FileNotFoundError` where there is nothing."""

    def expire(self, before: date) -> int:
        """Forget what lies under days before `before`; how many days that were."""


def payload_store(config: SharedSettings) -> ObjectStore:
    """Where the texts of large calls lie. Raises `Unusable` with the remedy."""
    return opened(config.payloads_url, config.data / "payloads")


def opened(url: str, folder: Path) -> ObjectStore:
    """The store at `url`; in `folder` where it is empty. Raises `Unusable` with the remedy."""
    parts = urlsplit(url)
    if not url or parts.scheme in ("", "file"):
        return Folder(Path(unquote(parts.path)) if url else folder)
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra, which a directory does not need
    except ImportError as error:
        raise Unusable(f"{parts.scheme}:// needs fsspec: install the extra `objects`, or set a directory") from error
    try:
        files, root = url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        # Others than a missing package may tell of the address, and the address of a password.
        said = error if isinstance(error, ImportError) else getattr(error, "strerror", None) or type(error).__name__
        raise Unusable(f"{parts.scheme}:// cannot be opened: {said}; install what it names, or set another") from error
    return Remote(files, root)


class Folder:
    """A directory, private to its owner. What was put survives kill -9 and power loss."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes) -> None:
        """Written beside, fsynced, renamed: nobody sees a part of it."""
        path = self._root / key
        folders = [path.parent, *takewhile(lambda each: each != self._root.parent, path.parent.parents)]
        if not path.exists():
            for folder in reversed(folders):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).rename(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        for folder in (*folders, self._root.parent):
            _fsync(folder)  # also where another has made it, or renamed the file, and not come so far

    def get(self, key: str, most: int) -> bytes:
        """See `ObjectStore`."""
        with (self._root / key).open("rb") as file:
            return file.read(most)

    def expire(self, before: date) -> int:
        """See `ObjectStore`."""
        with suppress(FileNotFoundError):
            days = [path for path in self._root.iterdir() if _is_before(path.name, before)]
            for path in days:
                shutil.rmtree(path)
            return len(days)
        return 0


class Remote:
    """A file system of fsspec: an object store that has acknowledged has it."""

    def __init__(self, files: Any, root: str) -> None:
        self._files, self._root = files, root.rstrip("/")

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectStore`."""
        self._files.pipe_file(f"{self._root}/{key}", data)

    def get(self, key: str, most: int) -> bytes:
        """See `ObjectStore`."""
        found: bytes = self._files.cat_file(f"{self._root}/{key}", start=0, end=most)
        return found

    def expire(self, before: date) -> int:
        """See `ObjectStore`."""
        try:
            listed = self._files.ls(self._root, detail=False, refresh=True)
        except FileNotFoundError:
            return 0
        days = [path for path in listed if _is_before(str(path).rstrip("/").rpartition("/")[2], before)]
        for path in days:
            self._files.rm(path, recursive=True)
        return len(days)


def _is_before(name: str, before: date) -> bool:
    try:
        return date.fromisoformat(name) < before
    except ValueError:
        return False


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
