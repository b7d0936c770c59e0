"""An interrupted translation goes on: nothing is translated twice, lost or doubled."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from seq2seq.documents.progress import recorded
from seq2seq.errors import InputError
from seq2seq.segments.segment import CLOSE, OPEN, VALUE, Mark, Segment

SEGMENTS = [Segment(f"s{i}", (Mark(0, OPEN, ["a", i]), Mark(1, VALUE, "x"), Mark(2, CLOSE, "b"))) for i in range(9)]


def reversing(log: list[str], segments: Iterable[Segment]) -> Iterator[Segment]:
    for s in segments:
        log.append(s.text)
        yield Segment(s.text[::-1], tuple(m._replace(position=2 - m.position) for m in s.marks[::-1]))


EXPECTED = list(reversing([], SEGMENTS))


@pytest.mark.parametrize("stop", [0, 1, 5, 9])
def test_an_interrupted_translation_goes_on_where_it_stopped(tmp_path: Path, stop: int) -> None:
    path, log = tmp_path / "p", list[str]()
    with pytest.raises(KeyboardInterrupt), recorded(lambda s: reversing(log, s), path, "k", False) as translate:
        first = list(islice(translate(SEGMENTS), stop))
        raise KeyboardInterrupt
    assert first == EXPECTED[:stop]
    path.write_bytes(path.read_bytes() + b'["half')  # as a killed process leaves it
    with recorded(lambda s: reversing(log, s), path, "k", True) as translate:
        assert list(translate(SEGMENTS)) == EXPECTED
    assert log == [s.text for s in SEGMENTS]
    assert not path.exists()


def test_without_resume_it_begins_anew(tmp_path: Path) -> None:
    path, log = tmp_path / "p", list[str]()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), recorded(lambda s: reversing(log, s), path, "k", False) as translate:
            list(islice(translate(SEGMENTS), 3))
            raise KeyboardInterrupt
    assert log == ["s0", "s1", "s2"] * 2


def test_the_progress_of_another_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p"
    with pytest.raises(KeyboardInterrupt), recorded(iter, path, "k", False):
        raise KeyboardInterrupt
    with pytest.raises(InputError, match="progress of another document"), recorded(iter, path, "other", True):
        pass
    assert path.exists()


@pytest.mark.parametrize("damage", [b"\0\0\0\n", b'{"x": 1}\n', b'["a", [["x", 1]]]\n["b", []]\n', b"[1]\n"])
def test_a_damaged_record_is_cut_off(tmp_path: Path, damage: bytes) -> None:
    path, log = tmp_path / "p", list[str]()
    with pytest.raises(KeyboardInterrupt), recorded(lambda s: reversing(log, s), path, "k", False) as translate:
        list(islice(translate(SEGMENTS), 3))
        raise KeyboardInterrupt
    path.write_bytes(path.read_bytes() + damage)
    with recorded(lambda s: reversing(log, s), path, "k", True) as translate:
        assert list(translate(SEGMENTS)) == EXPECTED
    assert log == [s.text for s in SEGMENTS]


def test_a_file_that_is_no_progress_is_refused_and_an_empty_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"garbage\n")
    with pytest.raises(InputError, match="progress of another document"), recorded(iter, tmp_path / "p", "k", True):
        pass
    (tmp_path / "p").write_bytes(b"")
    with recorded(iter, tmp_path / "p", "k", True) as translate:
        assert list(translate(SEGMENTS)) == SEGMENTS


def test_a_broken_document_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError), recorded(iter, tmp_path / "p", "k", False):
        raise InputError("line 3: broken")
    assert not (tmp_path / "p").exists()
