"""Where the corpora and models that ship with the project are. This module knows neither."""

from pathlib import Path


def artifacts() -> Path:
    """The folder of the shipped corpora and models."""
    here = Path(__file__).parent.parent
    inside = here / "artifacts"  # in an installed wheel
    return inside if inside.is_dir() else here.parent / "artifacts"
