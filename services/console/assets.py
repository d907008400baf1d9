"""Copies what the page needs out of node_modules: `python -m services.console.assets`."""

import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "static" / "vendor"
FILES = ("uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css")


def missing(vendor: Path = VENDOR) -> list[str]:
    """The files that set-up has not brought yet."""
    return [name for file in FILES if not (vendor / (name := Path(file).name)).is_file()]


def copy(modules: Path, vendor: Path) -> None:
    """Copies every file, with its licence; raises FileNotFoundError where npm has not run."""
    vendor.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(modules / file, vendor / Path(file).name)
        package = file.partition("/")[0]
        shutil.copy(modules / package / "LICENSE", vendor / f"LICENSE.{package}")


if __name__ == "__main__":
    try:
        copy(FOLDER / "node_modules", VENDOR)
    except FileNotFoundError as error:
        sys.exit(f"The page's libraries are not there ({error.filename}): run 'make setup'.")
