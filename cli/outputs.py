"""Where a subcommand puts a file that is there whole or not at all."""

from pathlib import Path

from cli.printing import fail


def regular(output: Path) -> Path:
    """The file that `output` leads to, so that a rename replaces it and not a link; ends at a device or a pipe."""
    if output.exists() and not output.is_file():
        fail(f"{output} is no regular file, and would be replaced by one")
    return output.resolve()
