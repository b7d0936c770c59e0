"""Archives of many files: read in about one pass, closed at the end, and by several threads at a time."""

import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from seq2seq.corpora import packed
from seq2seq.corpora.packed import File, archives_kept_open, opened
from tests.corpora.writers import PACK, po, read_all, read_train

COUNT = 30
NAMES = ["x.zip", "x.tar", "x.tar.gz"]
Texts = dict[str, str]


def catalogues() -> Texts:
    return {f"l10n/de/m{i}.po": po([(f"house {i}", f"Haus {i}")]) for i in range(COUNT)}


def tables() -> Texts:
    """Each of which is opened to look for a tab, too."""
    return {f"a/m{i}.txt": f"house {i}\tHaus {i}\n" for i in range(COUNT)}


def lines_in_folders() -> Texts:
    sides = {"en": "house", "de": "Haus"}
    return {f"{language}/m{i}.txt": f"{word} {i}\n" for language, word in sides.items() for i in range(COUNT)}


def lines_in_any_order() -> Texts:
    texts = [
        (f"m{i}.{language}", f"{word} {i}\n")
        for language, word in (("en", "house"), ("de", "Haus"))
        for i in range(COUNT)
    ]
    random.Random(1).shuffle(texts)
    return dict(texts)


def write_archive(path: Path, texts: Texts) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        return path
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    path.write_bytes(PACK[path.suffix if path.suffix in PACK else ""](whole.getvalue()))
    return path


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many archives are open, whenever one is opened. All are closed in the end."""
    archives, counts = list[Any](), list[int]()

    def are_open() -> int:
        return sum(each.fp is not None if hasattr(each, "fp") else not each.closed for each in archives)

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            archives.append(function(*args, **more))
            counts.append(are_open())
            return archives[-1]

        return call

    monkeypatch.setattr(packed.zipfile, "ZipFile", noting(zipfile.ZipFile))
    monkeypatch.setattr(packed.tarfile, "open", noting(tarfile.open))
    yield counts
    assert not are_open()


@pytest.mark.parametrize("texts", [catalogues, tables, lines_in_folders, lines_in_any_order])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("small", [True, False])
def test_an_archive_of_many_files_is_read_in_a_few_passes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    counts: list[int],
    texts: Callable[[], Texts],
    name: str,
    small: bool,
) -> None:
    """Files of a tar that are too large to keep are read as it goes on, if they are used in the archive's order."""
    if not small:
        monkeypatch.setattr(packed, "_SMALL", 0)
    path = write_archive(tmp_path / name, texts())
    counts.clear()
    assert sorted(read_train(path)) == sorted((f"house {i}", f"Haus {i}") for i in range(COUNT))
    assert len(counts) <= 3 or (not small and texts is lines_in_any_order)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_many_archives_does_not_keep_them_all_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: list[int], name: str
) -> None:
    monkeypatch.setattr(packed, "_SMALL", 0)
    for i in range(COUNT):
        write_archive(tmp_path / f"{i}{name}", {f"de/m{i}.po": po([(f"house {i}", f"Haus {i}")])})
    counts.clear()
    assert len(read_all(tmp_path).parts["train"]) == COUNT
    assert max(counts) <= 5


@pytest.mark.parametrize("name", NAMES)
def test_threads_read_an_archive_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(packed, "_SMALL", 0)
    texts = {f"m{i}.txt": "".join(f"{i} {j}\n" for j in range(5000)) for i in range(4)}
    path = write_archive(tmp_path / name, texts)

    def read(member: str) -> bytes:
        with opened(File(path, member)) as stream:
            return stream.read()

    with archives_kept_open(), opened(File(path, "m0.txt")) as stream, ThreadPoolExecutor(4) as threads:
        begin = stream.read(100)
        found = list(threads.map(lambda member: copy_context().run(read, member), texts))
        context = copy_context()  # with what this thread keeps open
        assert threads.submit(context.run, read, "m0.txt").result() == texts["m0.txt"].encode()
        assert begin + stream.read() == texts["m0.txt"].encode()
    assert found == [text.encode() for text in texts.values()]


@pytest.mark.parametrize("name", NAMES)
def test_a_member_that_is_left_early_or_read_again_is_whole(tmp_path: Path, name: str) -> None:
    texts = {f"m{i}.txt": f"{i}" * 200_000 for i in range(3)}
    path = write_archive(tmp_path / name, texts)
    with archives_kept_open():
        for member in ("m0.txt", "m1.txt", "m0.txt", "m2.txt", "m1.txt"):
            with opened(File(path, member)) as stream:
                assert stream.read(10) == texts[member][:10].encode()
            with opened(File(path, member)) as stream:
                assert stream.read() == texts[member].encode()
