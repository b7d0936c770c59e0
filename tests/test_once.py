"""`once`: what is made for all tests of a run is made by one process, and by another if that one fails."""

from pathlib import Path

import pytest
from once import once


def test_it_is_made_by_the_first_call_that_succeeds(tmp_path_factory: pytest.TempPathFactory) -> None:
    made: list[Path] = []

    def make(folder: Path) -> tuple[Path, int]:
        made.append(folder)
        if len(made) == 1:
            raise OSError("of the test")
        (folder / "file").write_text("text")
        return folder, len(made)

    with pytest.raises(OSError, match="of the test"):
        once(tmp_path_factory, "of the test", make)
    first, second = (once(tmp_path_factory, "of the test", make) for _ in range(2))
    assert first == second == (made[1], 2)
    assert (first[0] / "file").read_text() == "text"
    assert len(made) == 2
