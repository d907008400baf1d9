"""What the checks of the house look at."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("client", "cli", "demo", "schemas", "services", "tests", "benchmarks")
NOT_SERVICES = {"shared", "embedded", "__pycache__"}


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project: what git tracks, or everything but hidden folders where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else map(str, ROOT.rglob("*"))
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    """Every Python file of the project, tests included."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in CODE]


def services() -> list[Path]:
    """The folder of every service."""
    folders = (path for path in (ROOT / "services").iterdir() if path.is_dir())
    return sorted(path for path in folders if path.name not in NOT_SERVICES)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and nested ones included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name(path: Path) -> str:
    """The path as a reader says it."""
    return str(path.relative_to(ROOT))
