"""Runs every benchmark in a process of its own and keeps what it printed: `python -m benchmarks [NAME …]`."""

import json
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
LIMIT_SECONDS = 1800


def names() -> list[str]:
    """Every benchmark, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def measure(name: str) -> bool:
    """Runs one benchmark and writes its result; False where it failed, and says why."""
    started = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    try:
        ran = subprocess.run(
            command, cwd=FOLDER.parent, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        )
        result = json.loads(ran.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        print(f"{name}: failed with {error.returncode}\n{error.stderr[-2000:]}", file=sys.stderr)
        return False
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    peer, limit = result.get("peer"), result.get("limit")
    print(
        f"{result['name']}: {result['value']} {result['unit']} (ratio {result['ratio']}, peer {peer}, limit {limit}),"
        f" {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return True


def main() -> int:
    """Measures the named benchmarks, or all; exit code 1 where one failed."""
    RESULTS.mkdir(exist_ok=True)
    measured = [measure(name) for name in sys.argv[1:] or names()]
    return 0 if all(measured) else 1


if __name__ == "__main__":
    sys.exit(main())
