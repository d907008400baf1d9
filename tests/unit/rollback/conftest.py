"""A scene for each test."""

import pytest

from .scene import Scene


@pytest.fixture
def stage(tmp_path):
    """Makes a scene and ends it."""
    made = []

    def make(*arguments, **options):
        made.append(Scene(tmp_path, *arguments, **options))
        return made[-1]

    yield make
    for scene in made:
        scene.close()
