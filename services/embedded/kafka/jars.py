"""Apache Kafka's jars: brought by Maven, and used only where each is the one that is listed."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy" / "kafka"
JARS = ROOT / ".kafka" / "jars"
FETCH_SECONDS = 600.0


class KafkaMissingError(Exception):
    """What Apache Kafka needs is not on this machine; the text names the remedy."""


def listed() -> dict[str, str]:
    """SHA-256 of every jar, by its name."""
    lines = (DEPLOY / "jars.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def wrong(folder: Path = JARS) -> list[str]:
    """The jars that are missing from `folder`, that nobody listed, or whose bytes are others."""
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    return sorted(dict(listed().items() ^ found.items()))


def fetch(folder: Path = JARS, *, tell: Callable[[str], None] | None = None, seconds: float = FETCH_SECONDS) -> Path:
    """The folder with every jar, brought there where that is needed; raises `KafkaMissingError`.

    Safe for several processes at once. Half a minute where Maven has nothing yet, and never longer than `seconds`;
    `tell` is given a sentence before.
    """
    with _alone(folder):
        if wrong(folder):
            _bring(folder, tell, seconds)
    return folder


def found(folder: Path = JARS) -> Path:
    """The folder with every jar; raises `KafkaMissingError` where it would have to be brought."""
    if wrong(folder):
        raise _absent(folder)
    return folder


def _absent(folder: Path) -> KafkaMissingError:
    maven = "" if shutil.which("mvn") else "install Maven 3 (Debian: `apt-get install maven`), then "
    return KafkaMissingError(
        f"Apache Kafka's jars are not in {folder}: {maven}`python -m services.embedded.kafka --fetch` brings them"
    )


def _bring(folder: Path, tell: Callable[[str], None] | None, seconds: float) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise _absent(folder)
    if tell:
        tell(f"Maven brings Apache Kafka's jars into {folder} (43 MB, once)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        command = [maven, "-q", "-B", "-f", str(DEPLOY / "pom.xml"), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise KafkaMissingError(f"Maven did not bring Apache Kafka's jars within {seconds:.0f} s") from None
        if ran.returncode:
            raise KafkaMissingError(f"Maven could not bring Apache Kafka's jars: {ran.stdout.strip()[-500:]}")
        if bad := wrong(Path(fresh)):
            raise KafkaMissingError(f"these jars are others than {DEPLOY.name}/jars.sha256 lists: {', '.join(bad)}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
