"""Files in which people declare what a service is to do."""

from pathlib import Path

from services.shared.errors import Unusable

ROOT = Path(__file__).parents[2]


def texts(path: Path) -> list[tuple[str, str]]:
    """(name, content) of the YAML file `path`, or of every one in the folder, by name.

    A relative path counts from the repository's root, wherever the process was started. Raises `Unusable` where
    there is none.
    """
    place = path if path.is_absolute() else ROOT / path
    files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
    if not files or not files[0].is_file():
        raise Unusable(f"there is no YAML file at {place}: correct the setting or write one")
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]
