"""`corpus`: any text to a clean folder that `train` and `evaluate` read."""

import json
import os
import random
import re
import sys
from pathlib import Path

import pytest
from shell import PAIRS, Result, call, refused, snapshot, worked

from seq2seq.text.corpus import DataConfig, load, load_split
from seq2seq.text.partition import keys
from seq2seq.text.sources import Pair

AWKWARD = [('\ufeffa "quoted"', "b\u2028c"), ("1,000", "1.000"), ("<b>x</b>", "&amp;")]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table with a header, an empty pair, a repeated one and a damaged row."""
    rows = ["en\tde", *("\t".join(pair) for pair in [*PAIRS, *AWKWARD]), "\tleer", "\t".join(PAIRS[0]), "a\tb\tc"]
    path = tmp_path / "text.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_folder_is_clean_and_is_read_again(table: Path) -> None:
    out = worked(call("corpus", "--data", table, "--errors", "skip", "--dev", 4, "--test", 5, "--out", "clean")).out
    assert "damaged" in out and "1 dropped as damaged (first: line 67: 3 columns" in out
    corpus = load(DataConfig("clean"))
    parts = {"train": corpus.train, "dev": corpus.dev, **corpus.tests}
    assert {name: len(pairs) for name, pairs in parts.items()} == {"train": 54, "dev": 4, "test": 5}
    assert corpus.report.notices == []
    assert sorted(pair for pairs in parts.values() for pair in pairs) == sorted(map(Pair._make, [*PAIRS, *AWKWARD]))
    train = {key for pair in corpus.train for key in keys(pair)}
    assert not train & {key for pair in [*corpus.dev, *corpus.tests["test"]] for key in keys(pair)}
    dropped = Path("clean/dropped.tsv").read_text(encoding="utf-8").splitlines()
    assert dropped[0] == "number\treason\ten\tde"
    assert [line.split("\t")[:2] for line in dropped[1:]] == [["64", "empty"], ["65", "duplicate"]]
    assert "part" in Path("clean/README.md").read_text(encoding="utf-8")


def test_parts_that_there_are_stay_and_their_sentences_leave_train(table: Path) -> None:
    table = table.rename("train.tsv")
    rows = [f"{PAIRS[7][0]}\tanders", f"anders\t{PAIRS[9][1]}"]
    Path("dev.tsv").write_text("\n".join(["en\tde", *rows]) + "\n", encoding="utf-8")
    result = json.loads(
        worked(call("corpus", "--data", table, "--errors", "skip", "--test", 0, "--out", "clean", "--json")).out
    )
    train, dev = result["parts"]
    assert train["dropped"]["in dev or test"] == 2
    assert (dev["read"], dev["kept"]) == (2, 2)
    assert load_split(DataConfig("clean"), "dev") == [Pair(*row.split("\t")) for row in rows]
    kept = load_split(DataConfig("clean"), "train")
    assert len(kept) == 61 and PAIRS[7] not in kept and PAIRS[9] not in kept
    refused(
        call("corpus", "--data", table, "--errors", "skip", "--dev", 3, "--check"), "--dev 3: the text has a dev part"
    )


@pytest.mark.skipif(os.fsencode("\udce9") != b"\xe9" or sys.platform == "darwin", reason="names are Unicode there")
def test_names_that_are_not_utf_8_are_written_with_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "d\udce9"
    folder.mkdir()
    table = "en\tde\n" + "".join("\t".join(pair) + "\n" for pair in [*PAIRS, PAIRS[0]])
    for name in ("m\udce9.tsv", "n.tsv", "caf\udce9.txt"):
        (folder / name).write_text("" if name.endswith("txt") else table, encoding="utf-8")
    text = "corpus", "--data", folder, "--no-model", "--errors", "skip"
    result = worked(call(*text, "--out", "clean"))
    assert r"d\xe9: not read: caf\xe9.txt;" in result.out and r"together from m\xe9.tsv (61), n.tsv (61)" in result.out
    assert r"d\xe9, by `seq2seq corpus`" in Path("clean/README.md").read_text(encoding="utf-8")
    assert r"d\xe9/m\xe9.tsv" + "\t61\tduplicate" in Path("clean/dropped.tsv").read_text(encoding="utf-8")
    assert r"caf\xe9.txt" in json.loads(worked(call(*text, "--check", "--json")).out)["notices"][-1]
    refused(call("corpus", "--data", folder / "x", "--check"), r"d\xe9/x is not there")


def test_check_writes_nothing(table: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    out = worked(call("corpus", "--data", table, "--errors", "skip", "--check", "--out", "clean")).out
    assert out.startswith("part")
    assert snapshot(tmp_path) == before


def test_what_is_wrong_is_one_line(table: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    refused(call("corpus", "--data", table), "give --out DIR")
    refused(call("corpus", "--data", table, "--out", "x"), "line 67: 3 columns", "or give --errors skip")
    refused(call("corpus", "--data", table, "--out", tmp_path), "is not an empty folder")
    refused(
        call("corpus", "--data", table, "--errors", "skip", "--dev", 40, "--test", 40, "--out", "x"), "too many of 63"
    )
    refused(call("corpus", "--data", "nowhere", "--out", "x"), "nowhere is not there")
    Path("other").mkdir()
    Path("other/letter.docx").write_text("?")
    refused(call("corpus", "--data", "other", "--check"), "there is: letter.docx", "train.en and train.de", ".tmx")
    (tmp_path / "other" / "letter.docx").unlink()
    (tmp_path / "other").rmdir()
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_text_of_few_pairs_is_checked(tmp_path: Path, count: int) -> None:
    """It has no pairs to spare for dev and test, unless they are asked for."""
    Path("few.tsv").write_text("".join("\t".join(pair) + "\n" for pair in [("en", "de"), *PAIRS[:count]]))
    train, *others = json.loads(worked(call("corpus", "--data", "few.tsv", "--check", "--json")).out)["parts"]
    assert (train["kept"], len(others)) == ((1, 2) if count == 3 else (count, 0))
    refused(call("corpus", "--data", "few.tsv", "--dev", count, "--check"), f"too many of {count}")


def test_a_devtest_part_is_a_test_part(table: Path) -> None:
    """And so is any other part that is neither train nor dev."""
    table = table.rename("train.tsv")
    text = "corpus", "--data", table, "--errors", "skip", "--no-model"
    Path("devtest.tsv").write_text("en\tde\nHello you.\tHallo du.\n", encoding="utf-8")
    worked(call(*text, "--out", "clean", "--quiet"))
    assert {path.stem for path in Path("clean").glob("*.en")} == {"train", "dev", "devtest"}
    worked(call(*text, "--check", "--dev", 3, "--quiet"))
    refused(call(*text, "--check", "--test", 3), "--test 3: the text has a test part, devtest; leave the option out")


def test_sizes_that_cannot_be_are_refused_before_the_checks(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seq2seq.text.clean_corpus._MANY", 0)
    table = table.rename("train.tsv")
    text = "corpus", "--data", table, "--errors", "skip", "--no-model"
    assert "checking 63 pairs" in worked(call(*text, "--check")).err
    refused(call(*text, "--check", "--test", 1000), "too many of 63;")
    Path("test.tsv").write_text("en\tde\nHello you.\tHallo du.\n", encoding="utf-8")
    refused(call(*text, "--check", "--test", 3), "the text has a test part")


def test_check_shows_its_report_and_quiet_leaves_out_the_notes(table: Path) -> None:
    """The report is the result of --check; a corpus that is written has its own README.md."""
    text = "corpus", "--data", table, "--errors", "skip", "--no-model"
    shown = worked(call(*text, "--check")).out
    assert "note: " in shown
    assert worked(call(*text, "--check", "--quiet")) == Result(0, shown.partition("note: ")[0], "")
    assert worked(call(*text, "--out", "clean", "--quiet")) == Result(0, "", "")


def test_the_current_folder_is_not_replaced(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty").mkdir()
    monkeypatch.chdir("empty")
    for out in (".", Path.cwd()):
        refused(call("corpus", "--data", table, "--errors", "skip", "--out", out), f"--out {out} is the current folder")


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_read(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("link").symlink_to("nowhere")
    for out, message in ((table / "x", "is a file; give a folder"), (Path("link"), "is a link to nowhere")):
        result = call("corpus", "--data", table, "--errors", "skip", "--out", out)
        refused(result, message)
        assert "reading" not in result.err


def test_an_empty_folder_is_filled_in_its_place(table: Path) -> None:
    """It may be a mounted one, or a link to another."""
    Path("mounted").mkdir()
    Path("link").symlink_to("mounted")
    before = Path("mounted").stat().st_ino
    worked(call("corpus", "--data", table, "--errors", "skip", "--no-model", "--out", "link", "--quiet"))
    assert Path("link").is_symlink() and Path("mounted").stat().st_ino == before
    assert (Path("mounted") / "README.md").exists() and not (Path("mounted") / ".partial").exists()


def test_what_a_killed_command_has_left_is_not_written(table: Path) -> None:
    Path("clean/.partial").mkdir(parents=True)
    Path("clean/.partial/test7.en").write_text("old\n")
    worked(call("corpus", "--data", table, "--errors", "skip", "--no-model", "--out", "clean", "--quiet"))
    assert not Path("clean/test7.en").exists() and not Path("clean/.partial").exists()


def _listed(*sources: str) -> list[str]:
    """The places of what is suspicious, by the table that `corpus` writes."""
    data = [argument for source in sources for argument in ("--data", source)]
    worked(call("corpus", *data, "--errors", "skip", "--no-model", "--out", f"clean{len(sources)}", "--quiet"))
    lines = Path(f"clean{len(sources)}/suspects.tsv").read_text(encoding="utf-8").splitlines()
    return [line.partition("\tnumbers disagree\t")[0].replace("\t", ":") for line in lines[1:]]


def test_numbers_are_those_of_the_lines_in_the_source() -> None:
    """Damaged lines are counted, also where both sides of one are damaged, and several sources have their names."""
    wrong = b"5 of 17", b"5 von 18"
    damaged = [(b"caf\xe9", b"Kaffee"), (b"caf\xe9", b"Caf\xe9"), (b"coffee", b"Caf\xe9")]
    good = [(src.encode(), tgt.encode()) for src, tgt in PAIRS]
    rows = [*good[:20], *damaged, *good[20:40], wrong, *good[40:]]
    Path("a").mkdir()
    for side, language in enumerate(("en", "de")):
        Path(f"a/train.{language}").write_bytes(b"".join(row[side] + b"\n" for row in rows))
    text = [f"{src} {i} \t{i} {tgt}".encode() for i, (src, tgt) in enumerate(PAIRS[:20])]
    table = [b"en\tde", *text, b"caf\xe9\t", b"a\tb\tc", b"\t".join(wrong[::-1]), b"one\teins"]
    Path("b.tsv").write_bytes(b"".join(row + b"\n" for row in table))
    Path("c.jsonl").write_text('{"en": "one", "de": "eins"}\n?\n{"en": "3 of 17", "de": "3 von 18"}\n')
    assert _listed("a") == ["44"]
    assert _listed("a", "b.tsv") == ["a:44", "b.tsv:23"]
    assert _listed("a", "b.tsv", "c.jsonl") == ["a:44", "b.tsv:23", "c.jsonl:3"]
    assert Path("clean3/suspects.tsv").read_text().startswith("source\tnumber\treason\ten\tde\n")


def test_a_slip_has_the_lines_of_its_source() -> None:
    draw = random.Random(3)
    words = [[f"{side}{i}" for i in range(60)] for side in ("a", "b")]
    drawn = [draw.choices(range(60), k=draw.randint(3, 12)) for _ in range(600)]
    src, tgt = ([" ".join(side[i] for i in line) for line in drawn] for side in words)
    for name, (left, right) in {"x": (src[:300], tgt[:300]), "y": (src[300:-1], tgt[301:])}.items():
        Path(name).mkdir()
        damaged = [b"\xff"] * 40
        for language, lines in (("en", left), ("de", right)):
            data = b"".join(line + b"\n" for line in [*damaged, *map(str.encode, lines)])
            Path(f"{name}/train.{language}").write_bytes(data)
    check = "corpus", "--no-model", "--errors", "skip", "--check"
    for sources, of in ((["y"], ""), (["x", "y"], " of y")):
        out = worked(call(*check, *(argument for source in sources for argument in ("--data", source)))).out
        found = re.search(rf"from pair (\d+){of} to 339{of} line n of en belongs with line n -1", out)
        assert found and abs(int(found[1]) - 41) <= 4
        assert "another language" not in out  # these are no words of any


def test_suspects_are_listed_and_dropped_if_asked() -> None:
    rows = [
        "en\tde",
        *("\t".join(pair) for pair in PAIRS),
        "A letter for you.\tEin Brief fÃ¼r dich.",
        "5 of 17\t5 von 18",
    ]
    Path("text.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    listed = worked(call("corpus", "--data", "text.tsv", "--out", "all", "--dev", 2, "--test", 2))
    assert "note: 2 of 62 pairs are suspicious: 1 wrong encoding, 1 numbers disagree" in listed.out
    suspects = Path("all/suspects.tsv").read_text(encoding="utf-8").splitlines()
    assert suspects[1:] == [f"61\twrong encoding\t{rows[61]}", f"62\tnumbers disagree\t{rows[62]}"]
    counts = json.loads(worked(call("corpus", "--data", "text.tsv", "--check", "--drop-suspects", "--json")).out)
    assert counts["parts"][0]["dropped"]["suspicious"] == 2
    assert counts["suspects"] == {"wrong encoding": 1, "numbers disagree": 1}
    worked(call("corpus", "--data", "text.tsv", "--out", "good", "--drop-suspects", "--quiet"))
    assert not any(rows[62].split("\t")[1] in path.read_text(encoding="utf-8") for path in Path("good").glob("*.de"))


def test_suspects_are_taken_neither_as_dev_nor_as_test() -> None:
    rows = ["\t".join(pair) for pair in PAIRS] + [f"{i} of 17\t{i} von 18" for i in range(5, 65)]
    Path("text.tsv").write_text("\n".join(["en\tde", *rows]) + "\n", encoding="utf-8")
    worked(call("corpus", "--data", "text.tsv", "--out", "all", "--dev", 20, "--test", 20, "--quiet"))
    held = [Path(f"all/{part}.en").read_text(encoding="utf-8").splitlines() for part in ("dev", "test")]
    assert [len(lines) for lines in held] == [20, 20]
    assert not any("of 17" in line for lines in held for line in lines)


def test_why_dev_or_test_is_smaller_is_told() -> None:
    """What is left in train then is suspicious: of other pairs one more could be taken."""
    wrong = [(f"Letter {i} for you.", f"Brief {i} fÃ¼r dich.") for i in range(4)]
    shared = [("Good day.", f"Guten Tag {name}.") for name in ("Anna", "Bert", "Carl")]
    for pairs, why in ((wrong, "are suspicious"), (wrong + shared, "are suspicious or share a sentence with them")):
        rows = ["en\tde", "It is good.\tEs ist gut.", *map("\t".join, pairs)]
        Path("text.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        out = worked(call("corpus", "--data", "text.tsv", "--check", "--no-model", "--dev", 1, "--test", 3)).out
        assert f"pairs, not 3: the others {why}\n" in out


def test_shuffled_text_is_told() -> None:
    draw = random.Random(3)
    lines = [" ".join(draw.choices(["apple", "is", "a", "of", "these"], k=draw.randint(3, 30))) for _ in range(400)]
    shuffled = draw.sample(lines, len(lines))
    Path("text.tsv").write_text("\n".join(["en\tde", *map("\t".join, zip(lines, shuffled, strict=True))]) + "\n")
    result = worked(call("corpus", "--data", "text.tsv", "--check", "--no-model"))
    assert "the lengths of the two sides are hardly correlated" in result.out
