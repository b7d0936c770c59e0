"""Every kind of source gives the pairs that were written, and what it does not read it names."""

import csv
import io
import itertools
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets
import polib
import pyarrow
import pytest
from pyarrow import parquet
from writers import BOTH, PACK, PAIRS, lines, po, read_all, read_train, side, table, tmx, write, xliff, zipped

from seq2seq.corpora import hub
from seq2seq.corpora.request import Request
from seq2seq.corpora.source import language_pairs
from seq2seq.errors import InputError

Make = Callable[[Path, str], Path]


def moses(stem: str) -> Make:
    """A writer of two files of lines, `STEM.LANGUAGE`."""

    def make(folder: Path, packing: str) -> Path:
        for i, language in enumerate(BOTH):
            write(folder / (stem.replace("*", language) + packing), side(i))
        return folder

    return make


def sides(*names: str) -> Make:
    """A writer of two files of lines that are named by side."""

    def make(folder: Path, packing: str) -> Path:
        for i, name in enumerate(names):
            write(folder / (name + packing), side(i))
        return folder

    return make


def one_file(name: str, text: str) -> Make:
    return lambda folder, packing: write(folder / f"{name}{packing}", text)


JSON = [{"en": a, "de": b} for a, b in PAIRS]
SOURCES: dict[str, Make] = {
    "lines": moses("train.*"),
    "OPUS": moses("Books.de-en.*"),
    "OPUS, a part": moses("train.en-de.*"),
    "part at the end": moses("opus.de-en-train.*"),
    "txt": moses("train.*.txt"),
    "txt, underscore": moses("train_*.txt"),
    "txt, language alone": moses("*.txt"),
    "OPUS, txt": moses("train.en-de.*.txt"),
    "language first": moses("*-train.txt"),
    "language and part": moses("*.train"),
    "no ending": moses("*"),
    "sides, lines": sides("train.src", "train.tgt"),
    "sides, txt": sides("src-train.txt", "tgt-train.txt"),
    "sides, words": sides("source.txt", "target.txt"),
    "tsv": one_file("corpus.tsv", table("\t", "en\tde")),
    "semicolons": one_file("corpus.csv", table(";", "en;de")),
    "semicolons, as Excel says": one_file("corpus.csv", "sep=;\n" + table(";", "en;de")),
    "capitals": one_file("corpus.tsv", table("\t", "EN\tDE")),
    "regions": one_file("corpus.csv", table(",", "en-GB,de_DE")),
    "three letters": one_file("corpus.csv", table(",", "eng,deu")),
    "names": one_file("corpus.csv", table(",", "English,Deutsch")),
    "names of language and kind": one_file("corpus.tsv", table("\t", "english_text\tgerman_text")),
    "names in another language": one_file("corpus.csv", table(";", "Englisch;Deutsch")),
    "longer names": one_file("corpus.tsv", table("\t", "sentence_en\ttext_de")),
    "an index": one_file("corpus.csv", ",en,de\n" + "".join(f"{i},{a},{b}\n" for i, (a, b) in enumerate(PAIRS))),
    "tab": one_file("corpus.tab", table("\t")),
    "sides": one_file("corpus.csv", table(",", "source,target")),
    "sides and kind": one_file("corpus.tsv", table("\t", "source_text\ttarget_text")),
    "sides, json": one_file("corpus.jsonl", lines([json.dumps({"src": a, "tgt": b}) for a, b in PAIRS])),
    "no header": one_file("corpus.tsv", table("\t")),
    "no header, semicolons": one_file("corpus.csv", table(";")),
    "json": one_file("corpus.json", json.dumps(JSON)),
    "json in an object": one_file("corpus.json", json.dumps({"data": [{"translation": r} for r in JSON]})),
    "json by column": one_file("corpus.json", json.dumps({"en": [a for a, _ in PAIRS], "de": [b for _, b in PAIRS]})),
    "ndjson": one_file("corpus.ndjson", lines([json.dumps(row) for row in JSON])),
    "json lines": one_file("corpus.json", lines([json.dumps(row) for row in JSON])),
    "tmx": one_file("memory.tmx", tmx(PAIRS)),
    "po": one_file("app.po", po(PAIRS)),
    "xliff": one_file("app.xliff", xliff(PAIRS)),
    "xliff 2": one_file("app.xlf", xliff(PAIRS, 2)),
    "xliff of Trados": one_file("app.docx.sdlxliff", xliff(PAIRS)),
}


@pytest.mark.parametrize(("kind", "packing"), list(itertools.product(SOURCES, PACK)))
def test_a_source_is_read_without_options(tmp_path: Path, kind: str, packing: str) -> None:
    where = SOURCES[kind](tmp_path, packing)
    assert read_train(where) == PAIRS
    assert read_train(tmp_path) == PAIRS, "from the folder"
    assert read_all(tmp_path).unread == []


@pytest.mark.parametrize("code", ["pt_BR", "pt-BR", "pt"])
@pytest.mark.parametrize("pair", ["en-pt_BR", "pt_BR-en", "en-pt_br", "en-pt@formal"])
def test_names_of_opus_may_have_regions(tmp_path: Path, pair: str, code: str) -> None:
    """They are no pair of two languages by themselves: BR is a code of Breton, too."""
    language = pair.replace("en", "").strip("-")
    code = "pt" if "@" in pair else code
    for i, ending in enumerate(("en", language)):
        write(tmp_path / f"GNOME.{pair}.{ending}", side(i))
    write(tmp_path / f"x.{pair}.tsv", table("\t", f"en\t{language}"))
    write(tmp_path / "my-en_de.tsv", table("\t", "en\tde"))
    text = read_all(tmp_path, ("en", code))
    assert (text.parts, text.unread) == ({"train": [*PAIRS, *PAIRS]}, ["my-en_de.tsv"])
    assert read_train(tmp_path, BOTH) == PAIRS


REGIONS = ["pt_BR", "pt-BR", "fr_CA", "fr_CH", "de_CH", "sv_SE", "ko_KR", "zh_TW", "nl_BE", "es_AR", "sl_SI", "et_EE"]


@pytest.mark.parametrize("code", [*REGIONS, "pt-br", "PT_BR"])
@pytest.mark.parametrize(
    "name", ["*.po", "messages.*.xlf", "*.mo", "app-*.po", "*/LC_MESSAGES/app.po", "x/*/app.xliff"]
)
def test_a_catalogue_named_by_a_locale_is_in_its_language(tmp_path: Path, name: str, code: str) -> None:
    """Each of these regions is a code of a language, too."""
    language = code[:2].lower()
    path = tmp_path / "x" / name.replace("*", code)
    write(path, xliff(PAIRS, target=code) if "xl" in name else po(PAIRS, code))
    if name.endswith(".mo"):
        polib.pofile(str(path.rename(tmp_path / ".source"))).save_as_mofile(str(path))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(path, path.relative_to(tmp_path / "x"))
    for where in (tmp_path / "x", tmp_path / "x.zip"):
        for spoken in (language, code):
            text = read_all(where, ("en", spoken))
            assert (sorted(text.parts["train"]), text.unread) == (sorted(PAIRS), [])
    write(tmp_path / "x.tsv", table("\t"))
    text = read_all(tmp_path, ("en", "ja"))
    assert (text.parts["train"], len(text.unread)) == (PAIRS, 2), "and in no other"


def test_a_catalogue_in_the_very_language_is_read_beside_one_of_a_variant(tmp_path: Path) -> None:
    write(tmp_path / "pt.po", po([("from pt", "x")], "pt"))
    write(tmp_path / "pt_BR.po", po([("from pt_BR", "x")], "pt_BR"))
    text = read_all(tmp_path, ("en", "pt-BR"))
    assert (text.parts["train"], text.unread) == ([("from pt", "x"), ("from pt_BR", "x")], [])


@pytest.mark.parametrize(
    ("name", "languages", "is_read"),
    [
        *((name, ("en", "de"), True) for name in ("EN_DE", "en_DE", "de-EN", "en-GB", "de_DE", "de_AT", "en-US-de-DE")),
        *(
            (name, ("en", "fr"), False)
            for name in ("EN_DE", "de-en", "en_de", "de_EN", "en-US-de-DE", "de_DE", "es_AR")
        ),
        *((name, ("en", "fr"), True) for name in ("en_UK", "en_GB", "fr_FR", "fr_CA", "x.fr_CA", "en-fr-CA")),
        *((name, ("en", "pt"), True) for name in ("en-pt_BR", "en-pt-BR", "pt_BR", "pt-en", "PT_EN")),
        *((name, ("pt", "br"), True) for name in ("pt_BR", "pt_br")),
    ],
)
def test_small_letters_and_a_region_in_capitals_are_one_language(
    tmp_path: Path, name: str, languages: tuple[str, str], is_read: bool
) -> None:
    """Unless the two are what is asked for; two codes in the same letters are two languages."""
    write(tmp_path / f"{name}.tsv", table("\t"))
    write(tmp_path / "other.tsv", table("\t"))
    text = read_all(tmp_path, languages)
    assert text.unread == ([] if is_read else [f"{name}.tsv"])
    assert len(text.parts["train"]) == (6 if is_read else 3)


def test_a_memory_whose_name_may_be_of_another_pair_says_its_languages(tmp_path: Path) -> None:
    for name, languages in {"en_ES": ("en", "fr"), "es_AR": ("en", "fr"), "en_CA": ("en", "ca")}.items():
        write(tmp_path / f"{name}.tmx", tmx(PAIRS, languages))
    text = read_all(tmp_path, ("en", "fr"))
    assert (text.parts["train"], text.unread) == ([*PAIRS, *PAIRS], ["en_CA.tmx"])


@pytest.mark.parametrize("name", ["my_id.csv", "de_DE.tsv", "fr-en.tab", "as-is.txt"])
def test_the_header_of_a_table_counts_before_its_name(tmp_path: Path, name: str) -> None:
    separator = "," if name.endswith("csv") else "\t"
    write(tmp_path / name, table(separator, separator.join(['"en"', '"xx"'])))
    write(tmp_path / "other.tsv", table("\t"))
    write(tmp_path / "en-fr.csv", "?").rename(tmp_path / "en-fr.csv.gz")
    assert read_all(tmp_path, ("en", "ja")).unread == sorted([name, "en-fr.csv.gz"])
    write(tmp_path / name, table(separator, separator.join(["en", "ja"])))
    text = read_all(tmp_path, ("en", "ja"))
    assert (text.parts["train"], text.unread) == ([*PAIRS, *PAIRS], ["en-fr.csv.gz"])


@pytest.mark.parametrize("stem", ["train.*", "*.train", "train.*.txt", "Books.*"])
def test_a_file_in_the_very_language_counts_before_one_in_a_variant(tmp_path: Path, stem: str) -> None:
    texts = {"en": side(0), "pt": side(1), "pt-BR": "1\n2\n3\n", "pt_PT": "4\n5\n6\n"}
    for language, text in texts.items():
        write(tmp_path / stem.replace("*", language), text)
    for languages in (("en", "pt"), ("en", "pt-BR"), ("pt", "en"), ("pt-BR", "pt"), ("pt", "pt-BR"), ("en", "PT")):
        columns = [texts[{"PT": "pt"}.get(language, language)].split("\n")[:-1] for language in languages]
        text = read_all(tmp_path, languages)
        assert text.parts["train"] == list(zip(*columns, strict=True)), languages
        assert len(text.unread) == 2


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        (stem, stem)
        for stem in ("test", "test2016", "test-1", "test_unseen", "newstest2014", "tst2012", "devtest", "tests")
    ]
    + [(stem, stem) for stem in ("testset", "test.easy", "newstest2014-deen", "testA", "testdata", "testing")]
    + [(stem, "train") for stem in ("testament", "testimonies", "tester", "developers", "training-set", "validations")],
)
def test_a_part_is_a_word_of_its_own(tmp_path: Path, stem: str, part: str) -> None:
    moses("bible.*")(tmp_path, "")
    moses(f"{stem}.*")(tmp_path, "")
    text = read_all(tmp_path)
    assert {name: len(pairs) for name, pairs in text.parts.items()} == (
        {"train": 6} if part == "train" else {part: 3, "train": 3}
    )
    assert text.unread == []


@pytest.mark.parametrize("stem", ["testcoco", "testament", "Testcoco2017"])
def test_whatever_begins_with_test_beside_a_train_part_is_a_test_part(tmp_path: Path, stem: str) -> None:
    for part in ("train.*", f"{stem}.*"):
        moses(part)(tmp_path, "")
    write(tmp_path / "testimony.de", side(1))  # a side alone is none
    text = read_all(tmp_path)
    assert text.parts == {"train": PAIRS, stem: PAIRS}
    assert text.unread == ["testimony.de"]


@pytest.mark.parametrize("kind", ["tsv", "tmx"])
def test_a_table_that_begins_with_test_is_a_test_part_and_a_memory_is_not(tmp_path: Path, kind: str) -> None:
    for part in ("train", "testcoco"):
        write(tmp_path / f"{part}.{kind}", table("\t", "en\tde") if kind == "tsv" else tmx(PAIRS))
    assert sorted(read_all(tmp_path).parts) == (["testcoco", "train"] if kind == "tsv" else ["train"])


def test_capitals_do_not_matter_in_the_name_of_a_part(tmp_path: Path) -> None:
    for stem in ("train.*", "Dev.*", "Test.*"):
        moses(stem)(tmp_path, "")
    assert read_all(tmp_path).parts == {"train": PAIRS, "dev": PAIRS, "test": PAIRS}


def test_parts_with_a_year(tmp_path: Path) -> None:
    for stem in ("TED.*", "TED.dev2010.*", "newsdev2016.*", "TED.tst2012.*"):
        moses(stem)(tmp_path, "")
    assert read_all(tmp_path).parts == {"tst2012": PAIRS, "train": PAIRS, "dev": [*PAIRS, *PAIRS]}


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        ("flores200_devtest", "devtest"),
        ("flores.devtest", "devtest"),
        ("wmt.newstest2014.tok", "newstest2014"),
        ("my_test_set", "test_set"),
        ("Test", "test"),
        ("eval", "eval"),
        ("news-heldout", "heldout"),
        *((stem, "dev") for stem in ("devset", "validation-set", "tuning", "valid.tok", "flores200_dev", "x.dev_2")),
        *((stem, "train") for stem in ("fine-tuning", "tuner", "intervals", "x.test.train", "contest", "devices")),
    ],
)
def test_text_to_validate_and_test_on_is_not_trained_on(tmp_path: Path, stem: str, part: str) -> None:
    moses("europarl.*")(tmp_path, "")
    write(tmp_path / f"{stem}.tsv", table("\t", "en\tde"))
    text = read_all(tmp_path)
    assert {name: len(pairs) for name, pairs in text.parts.items()} == (
        {"train": 6} if part == "train" else {part: 3, "train": 3}
    )
    together = f"{tmp_path}: train is put together from {stem}.tsv (3), europarl.de (3) pairs"
    assert [note.replace("europarl.en", "europarl.de") for note in text.notes] == [together] * (part == "train")


@pytest.mark.parametrize(
    ("stem", "part"),
    [(stem, "train") for stem in ("app-dev", "plugin-test", "test-tools", "dpkg-dev", "testament")]
    + [("dev", "dev"), ("test", "test"), ("test_de", "test"), ("de-test", "test"), ("newstest2014", "newstest2014")],
)
@pytest.mark.parametrize("ending", ["po", "xlf"])
def test_catalogues_of_programs_may_have_such_a_word_in_their_names(
    tmp_path: Path, stem: str, part: str, ending: str
) -> None:
    for folder in ("de", "de_AT"):
        write(tmp_path / folder / f"app.{ending}", po(PAIRS) if ending == "po" else xliff(PAIRS))
        write(tmp_path / folder / f"{stem}.{ending}", po(PAIRS) if ending == "po" else xliff(PAIRS))
    parts = {name: len(pairs) for name, pairs in read_all(tmp_path).parts.items()}
    assert parts == ({"train": 12} if part == "train" else {part: 6, "train": 6})


UNRELATED = {
    "two columns": ("test.tsv", "name\tamount\nBob\tthree\nAnn\tfive\n"),
    "three columns": ("test.tsv", "name\tage\tcity\nBob\t3\tRome\n"),
    "pairs": ("dev.tsv", table("\t", "en\tde")),
    "a note": ("test.txt", "to do\n"),
}


@pytest.mark.parametrize("kind", UNRELATED)
def test_what_is_beside_a_file_that_is_not_named_train_is_not_its_own(tmp_path: Path, kind: str) -> None:
    name, content = UNRELATED[kind]
    write(tmp_path / name, content)
    path = write(tmp_path / f"memory{Path(name).suffix}", table("\t", "en\tde"))
    text = read_all(path)
    assert text.parts == {"train": PAIRS}
    assert any(f"beside it, not read: {name};" in note for note in text.notes) == (kind != "a note")


@pytest.mark.parametrize("name", ["test.txt", "dev.txt", "testimony.txt"])
def test_a_note_is_no_part_to_test_on(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "train.txt", table("\t", "en\tde"))
    write(tmp_path / name, "to do\n")
    assert read_all(path).parts == read_all(tmp_path).parts == {"train": PAIRS}
    assert read_all(tmp_path).unread == [name]
    write(tmp_path / name, table("\t", "en\tde"))
    assert len(read_all(path).parts) == len(read_all(tmp_path).parts) == 2


@pytest.mark.parametrize("kind", ["jsonl", "tsv", "parquet"])
def test_rows_of_dev_and_test_that_lack_a_language_of_many_are_no_pairs(tmp_path: Path, kind: str) -> None:
    """Their empty translations would be validated on. Those of train are counted by cleaning."""
    for part, gaps in (("train", (1,)), ("dev", (1, 2)), ("test", range(len(PAIRS)))):
        rows = [{"en": a, "fr": "f", "de": "" if i in gaps else b} for i, (a, b) in enumerate(PAIRS)]
        if kind == "parquet":
            (tmp_path / "many").mkdir(exist_ok=True)
            parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "many" / f"{part}.parquet")
        elif kind == "jsonl":
            write(tmp_path / "many" / f"{part}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        else:
            text = "".join("\t".join(cells) + "\n" for cells in (rows[0], *(row.values() for row in rows)))
            write(tmp_path / "many" / f"{part}.tsv", text)
    text = read_all(tmp_path / "many")
    assert {part: len(pairs) for part, pairs in text.parts.items()} == {"train": len(PAIRS), "dev": len(PAIRS) - 2}
    assert all(target for _, target in text.parts["dev"])
    assert text.notes == [f"left out: 2 dev rows without en or de, {len(PAIRS)} test rows without en or de"]


def test_a_row_of_a_table_of_two_languages_may_be_empty(tmp_path: Path) -> None:
    rows = ({"id": "1", "en": a, "de": ""} for a, _ in PAIRS)
    write(tmp_path / "train.jsonl", "".join(json.dumps({"id": "1", "en": a, "de": b}) + "\n" for a, b in PAIRS))
    write(tmp_path / "dev.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert len(read_all(tmp_path).parts["dev"]) == len(PAIRS)


def test_folders_may_say_the_part(tmp_path: Path) -> None:
    for part in ("train", "validation", "test"):
        write(tmp_path / "corpus" / part / "0000.tsv", table("\t", "en\tde"))
        write(tmp_path / part / "plain" / "opus.de-en.tsv", table("\t", "en\tde"))
    assert read_all(tmp_path / "corpus").parts == {"test": PAIRS, "train": PAIRS, "dev": PAIRS}
    assert list(read_all(tmp_path / "test").parts) == ["train"], "the name of the source itself says nothing"


@pytest.mark.parametrize("names", [("en", "de"), ("eng", "de-DE"), ("source", "target")])
@pytest.mark.parametrize("stem", ["a.txt", "train.txt", "x/train.txt", "a.*"])
def test_a_language_may_have_a_folder_of_its_own(tmp_path: Path, names: tuple[str, str], stem: str) -> None:
    archive = zipfile.ZipFile(tmp_path / "x.zip", "w")
    for i, name in enumerate(names):
        for file in (f"{name}/{stem}", f"{name}/test.txt" if "train" in stem else f"test/{name}/0.txt"):
            write(tmp_path / "x" / file.replace("*", name), side(i))
            archive.writestr(file.replace("*", name), side(i))
        write(tmp_path / "x" / name / "alone.txt" if i else tmp_path / "x" / "alone.txt", "x")
    archive.close()
    text = read_all(tmp_path / "x")
    assert text.parts == read_all(tmp_path / "x.zip").parts == {"train": PAIRS, "test": PAIRS}
    assert text.unread == ["alone.txt", f"{names[1]}/alone.txt"]


def test_a_folder_of_the_very_language_counts_before_one_of_a_variant(tmp_path: Path) -> None:
    for folder, text in {"en": side(0), "pt": side(1), "pt_BR": "1\n2\n3\n"}.items():
        write(tmp_path / folder / "a.txt", text)
    assert read_train(tmp_path, ("en", "pt")) == PAIRS
    assert read_train(tmp_path, ("en", "pt-BR")) == [(a, str(i)) for i, (a, _) in enumerate(PAIRS, 1)]
    assert language_pairs(str(tmp_path), Request(("en", "de", "pt")), "train") == [("en", "pt")]


def test_a_file_of_lines_and_what_the_names_begin_with(tmp_path: Path) -> None:
    for stem in ("train.*", "Books.de-en.*"):
        moses(stem)(tmp_path, ".gz")
    moses("*.txt")(tmp_path, "")
    sides("source.txt", "target.txt")(tmp_path / "sides", "")
    assert read_train(tmp_path / "sides" / "target.txt") == PAIRS
    for where in ("Books.de-en.de.gz", "Books.de-en.en.gz", "Books.de-en", "train", "de.txt", "en.txt"):
        assert read_train(tmp_path / where) == PAIRS
    with pytest.raises(InputError, match="Boo is not there"):
        read_train(tmp_path / "Boo")


def test_one_file_of_manythings(tmp_path: Path) -> None:
    write(tmp_path / "deu.txt", table("\t"))
    write(tmp_path / "_about.txt", "from a site")
    assert read_train(tmp_path) == read_train(tmp_path / "deu.txt") == PAIRS
    assert read_train(tmp_path, ("de", "en")) == [(b, a) for a, b in PAIRS]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
@pytest.mark.parametrize("kind", ["tsv", "semicolons", "json lines", "lines", "po"])
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, kind: str, encoding: str) -> None:
    SOURCES[kind](tmp_path, "")
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert read_train(tmp_path) == PAIRS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("kind", ["tsv", "semicolons", "no header", "json lines", "json", "lines", "txt", "po"])
def test_line_ends_of_old_macs_are_read_and_utf_16_without_a_mark(
    tmp_path: Path, kind: str, end: str, encoding: str
) -> None:
    SOURCES[kind](tmp_path, "")
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_text(encoding="utf-8").replace("\n", end).encode(encoding))
    assert read_train(tmp_path) == PAIRS


def test_a_carriage_return_inside_a_line_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", "en,de\na,b\nc\rd,e\n")
    with pytest.raises(
        InputError, match=r"line 3: new-line character seen \(\\r\) inside a field; delete it, or put the"
    ):
        read_train(path)


def test_either_direction_is_read(tmp_path: Path) -> None:
    for kind, make in SOURCES.items():
        make(tmp_path / kind, "")
        if not kind.startswith(("sides", "no header", "tab")):  # in which order decides
            assert read_train(tmp_path / kind, ("de", "en")) == [(b, a) for a, b in PAIRS], kind


def test_a_machine_readable_catalogue(tmp_path: Path) -> None:
    path = write(tmp_path / "locale" / "de" / "LC_MESSAGES" / "app.po", po(PAIRS, language=""))
    polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    path.unlink()
    assert sorted(read_train(tmp_path)) == sorted(PAIRS)


def test_the_header_of_a_catalogue_counts_before_the_name_of_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "mo" / "app.po", po(PAIRS))  # mo is a code of Romanian, too
    polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    assert read_train(path) == sorted(read_train(path.with_suffix(".mo")), key=PAIRS.index) == PAIRS


@pytest.mark.parametrize("name", ["new.po", "bin.po", "sign-in.po", "add_io.po", "fr.po", "to/app.po"])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_header_of_a_catalogue_counts_before_its_name(tmp_path: Path, name: str, compiled: bool) -> None:
    """Each of these names has a code of a language in it."""
    path = write(tmp_path / name, po(PAIRS))
    if compiled:
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
        path.unlink()
        path = path.with_suffix(".mo")
    assert sorted(read_train(path)) == sorted(read_train(tmp_path)) == sorted(PAIRS)


def test_the_name_of_a_catalogue_counts_where_the_header_has_no_language(tmp_path: Path) -> None:
    for language in ("de", "fr"):
        write(tmp_path / f"app_{language}.po", po([(f"from {language}", "x")], language=""))
    write(tmp_path / "fr.mo", "no catalogue")
    write(tmp_path / "it.po", "no catalogue")
    text = read_all(tmp_path)
    assert (text.parts["train"], text.unread) == ([("from de", "x")], ["app_fr.po", "fr.mo", "it.po"])


def test_shards_in_the_folder_data_are_one_part(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    for i, pairs in enumerate([PAIRS[:2], PAIRS[2:]]):
        (tmp_path / "data").mkdir(exist_ok=True)
        rows = [{"translation": {"en": a, "de": b}} for a, b in pairs]
        datasets.Dataset.from_list(rows).to_parquet(tmp_path / "data" / f"train-0000{i}-of-00002.parquet")
    write(tmp_path / "data" / "validation-00000-of-00001.tsv", table("\t", "en\tde"))
    write(tmp_path / "README.md", "about it")
    text = read_all(tmp_path)
    assert text.parts == {"train": PAIRS, "dev": PAIRS}
    assert text.unread == []
    (tmp_path / "data" / "train-00001-of-00002.parquet").unlink()
    lacking = "data: the train part has 2 files, of which 1 are there; add train-00001-of-00002.parquet$"
    with pytest.raises(InputError, match=lacking):
        read_all(tmp_path)


FOLDERS: dict[str, dict[str, str]] = {  # in each of two folders, of which the second is of another pair
    "shards": {f"train-0000{i}-of-00002.tsv": lines([f"{PAIRS[i][0]}\t{PAIRS[i][1]}"]) for i in (0, 1)},
    "one shard": {"train-00000-of-00001.tsv": table("\t")},
    "a table": {"train.tsv": table("\t")},
    "a table of any name": {"x.csv": table(";")},
    "lines": {"train.en": side(0), "train.*": side(1)},
    "lines by side": {"train.src": side(0), "train.tgt": side(1)},
    "lines named by languages": {"en.txt": side(0), "*.txt": side(1)},
    "memories": {"x.tmx": tmx(PAIRS)},
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_named_by_another_pair_is_not_read(tmp_path: Path, kind: str) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for folder, language in (("de-en", "de"), ("fr-en", "fr")):
            for name, text in FOLDERS[kind].items():
                file = f"{folder}/{name.replace('*', language)}"
                archive.write(write(tmp_path / "x" / file, text), file)
    for where in (tmp_path / "x", tmp_path / "x.zip"):
        text = read_all(where)
        assert text.parts == {"train": PAIRS[:2] if kind == "shards" else PAIRS}
        assert sorted(text.unread) == sorted(f"fr-en/{name.replace('*', 'fr')}" for name in FOLDERS[kind])


def test_lines_that_say_both_languages_are_read_whatever_their_folder_is_called(tmp_path: Path) -> None:
    moses("train.*")(tmp_path / "as-is", "")
    write(tmp_path / "as-it" / "train.de", side(1))
    text = read_all(tmp_path)
    assert (text.parts, text.unread) == ({"train": PAIRS}, ["as-it/train.de"])


@pytest.mark.parametrize("name", ["train-00000-of-00001.tsv", "train-00000-of-00002.tsv"])
def test_parts_of_several_folders_are_not_mixed(tmp_path: Path, name: str) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder / name, table("\t"))
    with pytest.raises(InputError, match=r"more than one file is the train part: .*give each folder as a --data of"):
        read_all(tmp_path)


def test_of_many_shards_that_lack_some_are_named(tmp_path: Path) -> None:
    write(tmp_path / "train-00002-of-00009.tsv", table("\t"))
    with pytest.raises(InputError, match=r"of which 1 are there; add train-00000-of-00009.tsv, .*00005.* and 3 more$"):
        read_all(tmp_path)


@pytest.mark.parametrize("languages", [BOTH, ("de", "en")])
def test_archives_as_they_are_downloaded(tmp_path: Path, languages: tuple[str, str]) -> None:
    texts = {"README": "about", "LICENSE": "free", "Books__de_to_en__en": side(0), "Books__de_to_en__de": side(1)}
    opus = zipped(tmp_path / "de-en.txt.zip", **texts, Books__de_to_en__xml="<x/>")
    attributed = lines(["\t".join((*pair, "CC-BY 2.0 (France) Attribution: tatoeba.org #1")) for pair in PAIRS])
    many = zipped(tmp_path / "deu-eng.zip", _about__txt="from a site", deu__txt=attributed)
    wanted = PAIRS if languages == BOTH else [(b, a) for a, b in PAIRS]
    assert read_train(opus, languages) == read_train(many, languages) == wanted
    assert read_all(opus).unread == ["Books.de-en.xml"]
    [note] = read_all(many, languages).notes
    assert "deu.txt has no header: column 1 is taken as en" in note
    assert read_train(tmp_path, languages) == [*wanted, *wanted]


@pytest.mark.parametrize("name", ["x.tar", "x.tgz", "x.tar.gz", "x.tar.bz2", "x.txz", "x.tar.zst"])
def test_tar_archives(tmp_path: Path, name: str) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for member, text in {
            "README": "about",
            "./._train.en": "?",
            "b/train.en": side(0),
            "b/train.de": side(1),
        }.items():
            info = tarfile.TarInfo(member)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    packing = {"x.tgz": ".gz", "x.txz": ".xz"}.get(name, "." + name.rpartition(".")[2])
    data = PACK.get(packing, PACK[""])(whole.getvalue())
    (tmp_path / name).write_bytes(data)
    assert read_train(tmp_path) == read_train(tmp_path / name) == PAIRS
    assert read_all(tmp_path).unread == []
    if name != "x.tar":
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(InputError, match=rf"{name}.* is not a complete \w+ file"):
            read_train(tmp_path / name)


def test_files_that_a_system_adds_are_no_text(tmp_path: Path) -> None:
    files = {"c_in_Books__de_to_en__en": side(0), "c_in_Books__de_to_en__de": side(1)}
    hidden = {f"__MACOSX/c/._Books.de-en.{language}": "\0\1" for language in BOTH}
    zipped(tmp_path / "x.zip", **files)
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        for name, text in hidden.items():
            archive.writestr(name, text)
    assert read_train(tmp_path / "x.zip") == PAIRS


def test_a_backslash_in_the_name_of_a_member_is_a_separator(tmp_path: Path) -> None:
    """As old programs of Windows write it."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("data\\", "")
        for part, i in itertools.product(("train", "dev"), (0, 1)):
            archive.writestr(f"data\\{part}.{BOTH[i]}", side(i))
        archive.writestr("data\\old\\notes.docx", "?")
    for where in (tmp_path, tmp_path / "x.zip"):
        text = read_all(where)
        assert text.parts == {"train": PAIRS, "dev": PAIRS}
        assert [name.removeprefix("x.zip/") for name in text.unread] == ["data/old/notes.docx"]


def test_columns_without_a_header(tmp_path: Path) -> None:
    numbered = lines(["\t".join(("17", a, "4", b)) for a, b in PAIRS])
    write(tmp_path / "Sentence pairs in German-English.tsv", numbered)
    assert read_train(tmp_path) == [(b, a) for a, b in PAIRS], "in the order of the name"
    named = read_train(tmp_path, columns=("-", "en", "-", "de"))
    assert named == PAIRS
    write(tmp_path / "three.tsv", lines(["\t".join((a, b, "note")) for a, b in PAIRS]))
    with pytest.raises(InputError, match=r"3 columns of text.*--columns en,de,-"):
        read_train(tmp_path / "three.tsv")
    with pytest.raises(InputError, match=r"--columns names 2 columns, but .*three.tsv has 3"):
        read_train(tmp_path / "three.tsv", columns=BOTH)
    assert read_train(tmp_path / "three.tsv", columns=("de", "en", "-")) == [(b, a) for a, b in PAIRS]


@pytest.mark.parametrize("name", ["x.tsv", "x.tab", "x.txt"])
def test_quotes_of_tsv_are_text_but_where_a_writer_of_csv_doubled_them(tmp_path: Path, name: str) -> None:
    kept = [('"Hello."', '"Hallo."'), ('"a" and "b"', '""c"" d'), ('""a""', '""'), ('"a ""b" c"', '"'), ("", "b")]
    doubled = [('He said "hi".', '"Ja", sagte er.'), ('"', '5" and 6"')]
    for header in ([], [BOTH]):
        out = io.StringIO()
        csv.writer(out, delimiter="\t", lineterminator="\n").writerows([*header, *doubled])
        write(tmp_path / name, out.getvalue() + lines(["\t".join(pair) for pair in kept]))
        assert read_train(tmp_path) == [*doubled, *kept]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("count", [1, 60])
def test_quotes_around_all_fields_of_tsv_are_no_text(tmp_path: Path, header: bool, quoting: int, count: int) -> None:
    """As pandas and write.table of R write them; CSV and TSV give the same."""
    pairs = [("Eine Katze.", "A cat."), ('"Ja", sagte er.', ""), ("a\tb", "c\nd"), ("x, y", "")] * count
    rows = [(i, *pair) for i, pair in enumerate(pairs)]
    for kind, delimiter in (("tsv", "\t"), ("csv", ",")):
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting)
        writer.writerows([*([("id", "de", "en")] * header), *rows])
        path = write(tmp_path / f"x.{kind}", out.getvalue().replace('"x, y"\t""', '"x, y"\tNA'))
        wanted = [(a.replace("\n", " "), b.replace("\n", " ")) for a, b in pairs]
        found = read_train(path, ("de", "en"))
        assert [(a, "" if b == "NA" else b) for a, b in found] == wanted


@pytest.mark.parametrize("header", [True, False])
def test_a_field_of_tsv_may_have_line_breaks(tmp_path: Path, header: bool) -> None:
    pairs = [("Hello", "Hallo"), ("Two\nlines", 'Zwei\n\n"Zeilen"'), ("a", "b\nc"), ("d\ne", "f"), ("End", "Ende")]
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows([*([BOTH] * header), *pairs])
    path = write(tmp_path / "x.tsv", out.getvalue())
    assert read_train(path) == [tuple(text.replace("\n", " ") for text in pair) for pair in pairs]


def test_a_quote_that_a_later_sentence_closes_joins_no_lines_of_tsv(tmp_path: Path) -> None:
    pairs = [('"I came.', '"Ich kam.'), ('I saw."', 'Ich sah."'), ("a", '"'), ("", ""), ("b", 'c"'), ("d", '"e')]
    path = write(tmp_path / "x.tsv", lines(["en\tde", *("\t".join(pair) for pair in pairs)]))
    assert read_train(path) == pairs


def test_files_named_by_other_languages_are_not_read(tmp_path: Path) -> None:
    for name in ("en-de.tsv", "en-fr.tsv", "en-es.tsv.xz"):
        write(tmp_path / name, table("\t"))
    text = read_all(tmp_path)
    assert text.parts["train"] == PAIRS
    assert text.unread == ["en-es.tsv.xz", "en-fr.tsv"]
    assert "column 1 is taken as en and column 2 is taken as de, as the file's name says" in text.notes[0]


HEADERS = [
    "English text;German text",
    "Englisch (USA);Deutsch (Deutschland)",
    "English (UK);German (DE)",
    "Source (en);Target (de)",
    "Target (en-GB);Source (de-DE)",
    "Source - EN;Target - DE",
    "Source: en;Target: de",
    "text en-US;text de_DE",
    "TEXT EN;TEXT DE",
    "ENU;DEU",
    "ENG;DES",
    "source_text_en;source_text_de",
    "en_source;de_target",
    "englishText;textDe",
    "Source text;Target text",
    "sourceText;targetText",
    "src;ref",
    "Original;Translation",
    "Original text;Text (translated)",
    "Original (American English);Translation (German)",
    "\nEnglish;German",
    "# English;German",
    "#en;de",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
def test_a_language_or_side_in_a_longer_name_of_a_column_is_understood(tmp_path: Path, header: str, kind: str) -> None:
    separator = {"tsv": "\t", "csv": ";"}.get(kind, "")
    text = table(separator, header.replace(";", separator))
    if kind == "jsonl":
        text = lines([json.dumps(dict(zip(header.strip().split(";"), pair, strict=True))) for pair in PAIRS])
    path = write(tmp_path / f"x.{kind}", text)
    swapped = [(b, a) for a, b in PAIRS]
    if not header.lower().startswith(("source text", "sourcetext", "src", "original;", "original text")):
        assert read_train(path, ("de", "en")) == swapped
        assert read_train(path, ("de", "en"), sparse=True) == swapped
    text = read_all(path)
    assert (text.parts["train"], [note for note in text.notes if "read with" not in note]) == (PAIRS, [])


@pytest.mark.parametrize(
    "first",
    [
        ("I speak German.", "Ich spreche Deutsch."),
        ("I speak German", "Ich spreche Deutsch"),
        ("German text", "Deutscher Text"),
        ("Open source", "Quelloffen"),
        ("Ms. Sato is here.", "Ms. Sato ist da."),
        ("Source", "Quelle"),
        ("English sentence", "Kommentar"),
        ("the original", "das Original"),
        ("German-English dictionary", "Wörterbuch Deutsch-Englisch"),
        ("Where is the English book", "Wo ist das German"),
        ("NOT", "KEIN"),
        ("OK", "OK"),
        ("DE is a code", "Es ist ein Code"),
    ],
)
@pytest.mark.parametrize("kind", ["tsv", "csv"])
def test_a_pair_of_sentences_that_name_a_language_is_no_header(
    tmp_path: Path, first: tuple[str, str], kind: str
) -> None:
    """And where there is none, the note shows the first row."""
    separator = {"tsv": "\t", "csv": ";"}[kind]
    long = ("x" * 31, "y", *"1234567")
    path = write(tmp_path / f"x.{kind}", table(separator, separator.join(first)))
    text = read_all(path)
    assert text.parts["train"] == [first, *PAIRS]
    assert f"as --src and --tgt say (first row: {first[0]}, {first[1]}); if that is wrong" in text.notes[-1]
    path = write(path, lines([separator.join(long)] * 3))
    assert f"(first row: {'x' * 30}..., y, 1, 2, 3, 4, 5, 6, 1 more)" in read_all(path).notes[-1]


@pytest.mark.parametrize("above", ["# sentences\n", "\n\n", "A title, long\n\n# and more\n", "#\n"])
@pytest.mark.parametrize(("kind", "separator"), [("tsv", "\t"), ("csv", ","), ("csv", ";")])
def test_what_stands_above_a_header_is_no_text(tmp_path: Path, above: str, kind: str, separator: str) -> None:
    above = above.replace(",", separator * 4)
    path = write(tmp_path / f"x.{kind}", above + table(separator, separator.join(("en", "de"))).replace(".", ""))
    pairs = [(a.replace(".", ""), b.replace(".", "")) for a, b in PAIRS]
    if above.strip():
        with pytest.raises(
            InputError, match=r"line 1: .* stands above the header and is none; delete it, or give --er"
        ):
            read_train(path)
    assert read_train(path, skip=True) == pairs
    path = write(path, above + table(separator).replace(".", "") * 4)
    if above.strip():
        with pytest.raises(InputError, match=r"line 1: . columns where the next rows have 2; correct the line"):
            read_train(path)


def test_a_header_counts_before_columns_that_are_given_and_this_is_told(tmp_path: Path) -> None:
    text = read_all(write(tmp_path / "x.tsv", table("\t", "en\tde")), columns=("de", "en"))
    assert text.parts["train"] == PAIRS
    assert "x.tsv has a header, which says its columns; --columns is not used for it" in text.notes[0]


@pytest.mark.parametrize("first", [("No.", "No."), ("German", "Deutsch"), ("Text", "Text"), ("source", "target")])
@pytest.mark.parametrize("kind", ["tsv", "csv"])
def test_a_first_pair_of_words_that_may_name_columns_is_text_with_columns(
    tmp_path: Path, first: tuple[str, str], kind: str
) -> None:
    separator = "," if kind == "csv" else "\t"
    path = write(tmp_path / f"x.{kind}", table(separator, separator.join(first)))
    text = read_all(path, columns=BOTH)
    assert text.parts["train"] == [first, *PAIRS]
    assert [
        ", ".join(first) in note and "is taken as text, since --columns is given" in note for note in text.notes
    ] == [True]
    if first[0] != "source":
        with pytest.raises(InputError, match=r"if (these are no names but|the first row is) text, give --columns"):
            read_train(path)


def test_with_columns_the_first_row_is_told(tmp_path: Path) -> None:
    """It may be a header that is not known as one."""
    rows = [("ID", "Text A", "Text B", "N" * 50), *((str(i), *pair, "") for i, pair in enumerate(PAIRS))]
    path = write(tmp_path / "x.csv", lines([",".join(row) for row in rows]))
    [note] = read_all(path, columns=("-", *BOTH, "-")).notes
    assert note.startswith(f"{path}, first row: ID, Text A, Text B, {'N' * 30}... is taken as text, since")


def test_objects_without_a_language_are_dropped_wherever_they_are(tmp_path: Path) -> None:
    some, other = '{"en": "a", "de": "b"}\n', '{"en": "c"}\n'
    path = write(tmp_path / "x.jsonl", other + some + other)
    with pytest.raises(InputError, match=r"line 1: no column 'de', only en; check --src and --tgt"):
        read_train(path)
    text = read_all(path, skip=True)
    assert (text.parts["train"], text.damaged) == ([("a", "b")], {"train": 2})
    with pytest.raises(InputError, match=r"line 1: no column 'de', only en; check --src and --tgt"):
        read_train(write(path, other * 2), skip=True)
    assert read_train(write(path, '{"id": 1, "translation": null}\n' + some)) == [("", ""), ("a", "b")]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """A table with a header, objects or a parquet file, by its ending."""
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        write(path, lines([json.dumps(row) for row in rows]))
    else:
        write(path, lines([",".join(row) for row in (rows[0], *(row.values() for row in rows))]))
    return path


SAID = [("source_lang", "target_lang"), ("srcLang", "tgtLang"), ("Source language", "Target language")]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("names", [*SAID, ("lang_src", "lang_tgt"), ("target_language", "source_language")])
def test_columns_may_say_the_languages_of_each_row(tmp_path: Path, kind: str, names: tuple[str, str]) -> None:
    sides = ("target", "source") if names[0].startswith("target") else ("source", "target")
    table_of = [("en", "de", "1", "eins"), ("fr", "de", "f", "g"), ("de-DE", "EN", "zwei", "2"), ("en", "", "x", "y")]
    table_of += [("fr", "en", "drei", "3"), ("eng", "deu", "4", "vier")]
    path = written(tmp_path / f"x.{kind}", [dict(zip((*names, *sides), row, strict=True)) for row in table_of])
    for where in (path, tmp_path):
        text = read_all(where)
        assert text.parts["train"] == [("1", "eins"), ("2", "zwei"), ("4", "vier")]
        of_row = [[place for place in text.places if place.start <= row][-1].number_of(row) for row in range(3)]
        assert of_row == [1, 3, 6]
        others = "fr-de, en-?, fr-en" if sides[0] == "source" else "de-fr, ?-en, en-fr"
        assert text.notes == [f"left out: 3 rows of other languages ({others})"]
    assert language_pairs(str(path), Request(("en", "de", "fr")), "train") == [("en", "de"), ("en", "fr"), ("de", "fr")]
    assert read_train(path, ("de", "fr"), sparse=True) == [("g", "f")]
    with pytest.raises(InputError, match=r"holds no pairs of es and it, but text in .*en"):
        read_train(path, ("es", "it"))


def test_a_data_set_of_the_hub_may_say_the_languages_of_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"src_lang": "fr", "tgt_lang": "en", "source": "x", "target": "y", "set": 1}]
    rows += [{"src_lang": "de", "tgt_lang": "en", "source": b, "target": a, "set": 2} for a, b in PAIRS]
    monkeypatch.setattr(hub, "load", lambda where: {"train": datasets.Dataset.from_list(rows)})
    text = read_all(Path("hf:x"))
    assert (text.parts["train"], text.notes) == (PAIRS, ["left out: 1 rows of other languages (fr-en)"])
    assert language_pairs("hf:x", Request(("en", "de", "fr")), "train") == [("en", "de"), ("en", "fr")]
    assert read_all(Path("hf:x"), ("en", "es"), sparse=True).unread == ["hf:x"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["split", "Part", "set"])
def test_a_column_that_says_parts_is_noted(tmp_path: Path, kind: str, name: str) -> None:
    parts = ["train", "valid", "test"]
    rows = [{"en": a, "de": b, name: part} for (a, b), part in zip(PAIRS, parts, strict=True)]
    path = written(tmp_path / f"x.{kind}", rows)
    text = read_all(path)
    assert text.parts["train"] == PAIRS
    assert text.notes == [
        f"{path}: its column {name} says train, valid, test, but all its rows are read as one part; "
        "write the rows of each part to a file of its own, named so"
    ]
    for values in (["train"] * 3, ["train", "test", "of a machine"]):
        written(path, [row | {name: value} for row, value in zip(rows, values, strict=True)])
        assert (read_all(path).notes, read_train(path)) == ([], PAIRS)
    if kind != "csv":
        written(path, [row | {name: 1} for row in rows])  # type: ignore[misc]
        assert (read_all(path).notes, read_train(path)) == ([], PAIRS)


def test_columns_of_parquet_may_be_named_as_flattened_fields_are(tmp_path: Path) -> None:
    table_of = {f"translation.{language}": [pair[i] for pair in PAIRS] for i, language in enumerate(BOTH)}
    parquet.write_table(pyarrow.table(table_of), tmp_path / "x.parquet")
    assert read_train(tmp_path) == PAIRS


def test_a_bad_byte_in_parquet_is_one_line(tmp_path: Path) -> None:
    bad = pyarrow.array([b"\xff"]).cast(pyarrow.large_binary()).view(pyarrow.large_string())
    parquet.write_table(pyarrow.table({"en": bad, "de": ["b"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet holds text that is not valid UTF-8"):
        read_train(tmp_path)


def test_what_is_no_file_is_named_and_not_opened(tmp_path: Path) -> None:
    moses("train.*")(tmp_path / "x", "")
    (tmp_path / "x" / "more").symlink_to(tmp_path)
    (tmp_path / "x" / "test.en").symlink_to("nothing")
    os.mkfifo(tmp_path / "x" / "test.de")
    text = read_all(tmp_path / "x")
    assert (text.parts, text.unread) == ({"train": PAIRS}, ["more", "test.de", "test.en"])
    with pytest.raises(InputError, match=r"test\.de is neither a file nor a folder"):
        read_all(tmp_path / "x" / "test.de")


def test_every_file_that_is_not_read_is_named(tmp_path: Path) -> None:
    for stem in ("train.*", "train2.*", "old/train.*"):
        moses(stem)(tmp_path, "")
    write(tmp_path / "train.fr", side(0))
    write(tmp_path / "notes.docx", "?")
    write(tmp_path / "LICENSE", "?")
    text = read_all(tmp_path)
    assert text.parts == {"train": PAIRS}
    assert text.unread == ["notes.docx", "train.fr", "train2.de", "train2.en", "old/train.de", "old/train.en"]


ABOUT = ["README", "README.txt", "readme.md", "README.de", "README.de.md", "LICENSE.txt", "licence", "LICENSE-CC-BY"]
ABOUT += [
    "COPYING.LESSER",
    "CITATION.cff",
    "AUTHORS",
    "NOTICE.txt",
    "SHA256SUMS",
    "md5sums.txt",
    "_about.txt",
    ".x.tmx",
]
ABOUT += ["readme.txt.gz", "dropped.tsv", "suspects.tsv"]
OF_TEXT = [
    "notices-2020.tmx",
    "authors.tsv",
    "citation_corpus.tsv",
    "licensed.de-en.tmx",
    "readme2.po",
    "README.csv.gz",
]
OF_TEXT += [
    "license.jsonl",
    "notice.xlf",
    "old/authors.zip",
    "old/notices.tgz",
    "noticeboard.docx",
    "citation_corpus.txt",
]
OF_TEXT += ["licensed.txt", "dropped.tsv.bak", "authors_talk.de"]


@pytest.mark.parametrize("name", [*ABOUT, *OF_TEXT])
def test_what_is_about_the_text_is_passed_over_and_what_may_be_text_is_named(tmp_path: Path, name: str) -> None:
    moses("train.*")(tmp_path, "")
    write(tmp_path / name, "?")
    text = read_all(tmp_path)
    assert (text.parts, text.unread) == ({"train": PAIRS}, [name] if name in OF_TEXT else [])


def test_what_cannot_be_read_is_listed_with_what_could_be(tmp_path: Path) -> None:
    write(tmp_path / "corpus.docx", "?")
    write(tmp_path / "train.fr", side(0))
    text = read_all(tmp_path)
    assert text.parts == {}
    assert text.unread == ["corpus.docx", "train.fr"]


def test_a_memory_may_have_codes_entities_and_several_variants(tmp_path: Path) -> None:
    """Native code is left out, an entity that the file defines is not resolved, each variant makes a pair."""
    bomb = '<!DOCTYPE tmx SYSTEM "http://192.0.2.1/tmx14.dtd" [<!ENTITY lol "lol"><!ENTITY x SYSTEM "/etc/passwd">]>\n'
    code = 'Press <bpt i="1">&lt;b&gt;</bpt>OK<ept i="1">&lt;/b&gt;</ept> &amp;\n  go'
    pairs = [(code, "Weiter <hi>jetzt</hi>"), ("&lol;&x;", "nichts")]
    path = write(tmp_path / "x.tmx", tmx(pairs, head=bomb))
    assert read_train(path) == [("Press OK & go", "Weiter jetzt"), ("&lol;&x;", "nichts")]
    texts = [("EN", "Hi"), ("DE", "Hallo"), ("de-AT", "Servus")]
    variants = "".join(f'<tuv lang="{language}"><seg>{text}</seg></tuv>' for language, text in texts)
    write(path, f"<tmx><body><tu>{variants}</tu><tu><tuv lang='en'><seg>alone</seg></tuv></tu></body></tmx>")
    assert read_train(path) == [("Hi", "Hallo"), ("Hi", "Servus")]


@pytest.mark.parametrize(("spoken", "read"), [("zh", "abcd"), ("zh-Hans", "abc"), ("zh-CN", "abc"), ("zh_Hant", "bd")])
def test_a_region_of_a_memory_stands_for_its_script(tmp_path: Path, spoken: str, read: str) -> None:
    """Variants that are read as one language are named, and units without the language are counted."""
    tags = {"a": "zh-CN", "b": "zh", "c": "zh-Hans-CN", "d": "zh-TW"}
    units = [tmx([("x", letter)], ("en", tag)).partition("<body>\n")[2][:-15] for letter, tag in tags.items()]
    path = write(tmp_path / "x.tmx", f"<tmx><body>{''.join(units)}</body></tmx>")
    text = read_all(path, ("en", spoken))
    assert [target for _, target in text.parts["train"]] == list(read)
    variants = f"{path}: {', '.join(tags[letter] for letter in read)} are all read as {spoken}; name one in full"
    lacking = f"left out: {4 - len(read)} units without en or {spoken} (there are: en, zh-CN, zh, zh-Hans-CN, zh-TW)"
    assert text.notes[0].startswith(variants)
    assert text.notes[1:] == [lacking] * (len(read) < 4)


def test_white_space_of_xml_is_one_space_and_a_code_may_be_a_line_break(tmp_path: Path) -> None:
    spaces = "a\u00a0b \t\n  c\u202f!"
    code = '<ph x="1">&lt;br /&gt;</ph>'
    breaks = [f"d{code}e", 'd<ph x="1" type="lb">{nl}</ph>e', "d<ph>\\n</ph>e", 'd<it pos="begin">&lt;b&gt;</it>e']
    for name, writer in (("x.tmx", tmx), ("x.xlf", xliff)):
        path = write(tmp_path / name, writer([(spaces, "x"), *((text, "x") for text in breaks)]))
        texts = [source for source, _ in read_train(path)]
        assert texts == ["a\u00a0b c\u202f!", "d e", "d e", "d e", "de"]
    first = ['d<x id="1" ctype="lb"/>e', 'd<x id="1" equiv-text="&lt;br&gt;"/>e', 'd<x id="1" ctype="x-b"/>e']
    assert [s for s, _ in read_train(write(path, xliff([(text, "x") for text in first])))] == ["d e", "d e", "de"]
    second = [
        'd<ph id="1" type="fmt" subType="xlf:lb"/>e',
        'd<ph id="1" dataRef="d1"/>e',
        'd<ph id="1" dataRef="d2"/>e',
    ]
    data = '<originalData><data id="d1">&lt;br/&gt;</data><data id="d2">&lt;b></data></originalData><segment>'
    document = xliff([(text, "x") for text in second], 2).replace("<segment>", data)
    assert [s for s, _ in read_train(write(path, document))] == ["d e", "d e", "de"]


def test_unfinished_translations_are_left_out_and_counted(tmp_path: Path) -> None:
    more = 'msgid "open"\nmsgstr ""\n\n#, fuzzy\nmsgid "x"\nmsgstr "y"\n\n#~ msgid "old"\n#~ msgstr "alt"\n\n'
    plural = 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d Datei"\nmsgstr[1] "%d Dateien"\n\n'
    text = read_all(write(tmp_path / "x.po", po(PAIRS, more=more + plural)))
    assert text.parts["train"] == [*PAIRS, ("%d file", "%d Datei"), ("%d files", "%d Dateien")]
    assert text.notes == ["left out: 1 untranslated entries, 1 fuzzy entries"]
    document = xliff([("a", "b"), ("c", "")]).replace("<target>b", '<target state="new">b')
    write(
        tmp_path / "x.xlf",
        document.replace("</body>", UNIT + "</body>"),
    )
    text = read_all(tmp_path / "x.xlf")
    assert text.parts["train"] == [("d e", "f")]
    assert text.notes == ["left out: 2 units without a finished translation"]


def test_comments_and_obsolete_entries_of_a_catalogue_may_hold_anything(tmp_path: Path) -> None:
    """What is marked in them is not the next entry's; a flag may have no space before it, as msgfmt reads it."""
    more = (
        '#, fuzzy\n#~ msgid "old\n#~ msgstr\n\n#open "\n#| msgid\nmsgctxt "z"\nmsgid "c"\n# a note\n""\nmsgstr "d"\n\n'
    )
    text = read_all(write(tmp_path / "x.po", po(PAIRS, more=more + '#,fuzzy\nmsgid "x\u2028"\nmsgstr "y"\n')))
    assert (text.parts["train"], text.notes) == ([*PAIRS, ("c", "d")], ["left out: 1 fuzzy entries"])


def test_a_header_that_is_damaged_still_says_its_language(tmp_path: Path) -> None:
    text = read_all(write(tmp_path / "x.po", po(PAIRS).replace('UTF-8\\n"', "UTF-8")), skip=True)
    assert (text.parts["train"], text.damaged) == (PAIRS, {"train": 1})
    assert not any("does not say its language" in note for note in text.notes)


def test_bytes_of_a_catalogue_that_are_not_in_its_encoding_drop_the_entry(tmp_path: Path) -> None:
    path = write(tmp_path / "x.po", po([("a", "b"), ("c", "?"), ("f", "g")]))
    path.write_bytes(path.read_bytes().replace(b"?", b"\xe9"))
    with pytest.raises(InputError, match=r"x\.po, line 10: not valid UTF-8; .*or give --errors skip"):
        read_train(path)
    assert read_train(path, skip=True) == [("a", "b"), ("f", "g")]


def test_units_of_other_languages_are_counted(tmp_path: Path) -> None:
    """Also those of one language alone, which is on both sides, as in the files of Symfony."""
    files = [xliff(PAIRS, target=target).partition(">")[2].removesuffix("</xliff>") for target in ("fr", "en")]
    text = read_all(write(tmp_path / "x.xlf", xliff(PAIRS).replace("</xliff>", f"{''.join(files)}</xliff>")))
    assert text.parts["train"] == PAIRS
    assert (text.notes, text.unread) == (["left out: 6 units of other languages"], [])


def test_a_key_is_no_text_but_stands_for_one(tmp_path: Path) -> None:
    """Of the keys of a catalogue as Zope and Plone write them, a model would learn to translate `label_save`."""
    keys = '#. Default: "Save \\"all\\" of it"\n#. Here.\nmsgid "label_save"\nmsgstr "Alles sichern"\n\n'
    keys += '#. Default: "5"\nmsgid "Timeout"\nmsgstr "Frist"\n\n'
    keys += "".join(f'msgid "{key}"\nmsgstr "Ein Text"\n\n' for key in ("label_open", "page.title-1x", "e-mail", "a.m"))
    text = read_all(
        write(tmp_path / "x.po", po([], language="", more=keys).replace("=UTF-8", '=UTF-8\\n"\n"Language-Code: de'))
    )
    assert text.parts["train"] == [
        ('Save "all" of it', "Alles sichern"),
        ("Timeout", "Frist"),
        ("e-mail", "Ein Text"),
        ("a.m", "Ein Text"),
    ]
    assert text.notes == ["left out: 2 entries with a key in the place of a text"]


def test_an_underscore_in_a_catalogue_of_texts_makes_no_key(tmp_path: Path) -> None:
    """It marks an access key of GTK, which its translation has elsewhere or not at all, or joins words of a syntax."""
    keys = [("_Open", "Ö_ffnen"), ("_Cancel", "Abbrechen"), ("E_xit", "_Beenden"), ("Open", "Öffnen(_O)")]
    assert read_train(write(tmp_path / "gtk.po", po(keys))) == keys
    kept = [("column_alias", "Spaltenalias"), *((f"Text {i}.", f"Text Nummer {i}.") for i in range(9))]
    assert read_train(write(tmp_path / "psql.po", po([*kept, ("genpin.tooltip", "Ein Text")]))) == kept
    zope = [(f"label_{i}", f"Text {i}") for i in range(9)] + keys[:1]
    assert read_train(write(tmp_path / "zope.po", po(zope))) == keys[:1]


def test_messages_are_english_where_a_catalogue_says_no_language(tmp_path: Path) -> None:
    path = write(tmp_path / "messages.po", po(PAIRS, language=""))
    text = read_all(path, ("de", "en"))
    assert text.parts["train"] == [(b, a) for a, b in PAIRS]
    assert text.notes == [f"{path} does not say its language: its translations are taken as de"]
    with pytest.raises(InputError, match="holds no pairs of de and fr, but text in en"):
        read_train(path, ("de", "fr"))


@pytest.mark.parametrize("kind", ["po", "xlf"])
def test_where_no_file_says_its_language_that_is_the_message(tmp_path: Path, kind: str) -> None:
    text = po(PAIRS, language="") if kind == "po" else xliff(PAIRS).replace("target-language", "x")
    for stem in ("app", "docs"):
        write(tmp_path / f"{stem}.{kind}", text)
    with pytest.raises(
        InputError, match=rf"app\.{kind}, docs\.{kind} without a language of the translations; write it"
    ):
        read_all(tmp_path)
    assert read_train(tmp_path / f"app.{kind}") == PAIRS
    write(tmp_path / "y.tsv", table("\t"))
    assert read_train(tmp_path) == PAIRS


@pytest.mark.parametrize("name", ["x.po", "x.xlf", "x.tmx"])
def test_a_file_of_other_languages_is_named(tmp_path: Path, name: str) -> None:
    texts = {"x.po": po(PAIRS, "fr"), "x.xlf": xliff(PAIRS, target="fr"), "x.tmx": tmx(PAIRS, ("en", "fr"))}
    with pytest.raises(InputError, match=r"holds no pairs of en and de, but text in .*fr; "):
        read_train(write(tmp_path / name, texts[name]))
    write(tmp_path / "y.tsv", table("\t"))
    text = read_all(tmp_path)
    assert text.parts["train"] == PAIRS
    assert text.unread == [name]


@pytest.mark.parametrize(("name", "kind"), [("map.tmx", "TMX"), ("page.xlf", "XLIFF")])
def test_another_document_with_such_an_ending_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    """Editors of games name their maps .tmx, too."""
    path = write(tmp_path / name, '<map version="1.0"><layer><data>10</data></layer></map>')
    with pytest.raises(InputError, match=rf"{name}, line 1: a document <map>, not {kind}; give a file of {kind}"):
        read_train(path)


def test_a_folder_of_catalogues_of_many_languages(tmp_path: Path) -> None:
    """The folder's name says the language; a file that does not say it is taken to fit only if it is alone."""
    for folder in ("de", "de_AT.UTF-8", "cs.cp1250", "fr", "other"):
        write(tmp_path / folder / "LC_MESSAGES" / "app.po", po([(f"from {folder}", "x")], language=""))
    write(tmp_path / "fr" / "LC_MESSAGES" / "broken.po", "no catalogue")
    polib.pofile(str(tmp_path / "de/LC_MESSAGES/app.po")).save_as_mofile(str(tmp_path / "de/LC_MESSAGES/app.mo"))
    text = read_all(tmp_path)
    assert text.parts["train"] == [("from de", "x"), ("from de_AT.UTF-8", "x")]
    assert [name.partition("/")[0] for name in text.unread] == ["cs.cp1250", "fr", "fr", "other"]
    assert read_train(tmp_path / "other/LC_MESSAGES/app.po") == [("from other", "x")]


UNIT = "<trans-unit id='9'><source>d <g id='1'>e</g></source><target>f</target></trans-unit>"


# ---- damage ----------------------------------------------------------------------------------------------------------

LONG = "x" * 140_000
NO_STRING = "line 10: a string without a quote at both ends"
PO_DAMAGE = {  # an entry, which begins on line 9, and the message
    "an open string": ('msgid "c"\nmsgstr "d\n\n', NO_STRING),
    "an open string of several lines": ('msgid "c"\nmsgstr ""\n"d\n\n', "line 11: a string without a quote"),
    "an open message": ('msgid "c\nmsgstr "d"\n\n', "line 9: a string without a quote at both ends"),
    "a closing quote alone": ('msgid "c"\nmsgstr d"\n\n', NO_STRING),
    "a quote that is escaped": ('msgid "c"\nmsgstr "d\\"\n\n', NO_STRING),
    "one quote": ('msgid "c"\nmsgstr "\n\n', NO_STRING),
    "no quotes": ('msgid "c"\nmsgstr Hallo\n\n', NO_STRING),
    "a quote inside": ('msgid "c"\nmsgstr "d "e" f"\n\n', NO_STRING),
    "text on the next line": ('msgid "c"\nmsgstr "d"\ne\n\n', "line 11: no comment and no keyword of a PO file"),
    "text between entries": ("a word\n\n", "line 9: no comment and no keyword of a PO file"),
    "a word misspelt": ('msgid "c"\nmsgtsr "d"\n\n', "line 10: no comment and no keyword of a PO file"),
    "no translation": ('msgid "c"\n\n#, c-format\n', "line 9: an entry that is not a msgid"),
    "no message": ('#: x.c:1\nmsgstr "d"\n\n', "line 10: an entry that is not a msgid"),
    "a plural without forms": ('msgid "c"\nmsgid_plural "cs"\nmsgstr "d"\n\n', "line 9: an entry that is not a msgid"),
}
DAMAGE = {
    "a tab too many": ("train.tsv", "en\tde\na\tb\nc\td\te\nf\tg\n", "line 3: 3 columns where the header has 2", 1),
    "a bad byte": ("train.tsv", b"en\tde\na\tb\nc\xff\td\nf\tg\n", "line 3: not valid UTF-8", 1),
    "a blank line": ("train.jsonl", '{"en": "a", "de": "b"}\n\n{"en": "f", "de": "g"}\n', "line 2: the line is", 1),
    "no JSON": ("train.jsonl", '{"en": "a", "de": "b"}\n{\n{"en": "f", "de": "g"}\n', "line 2: not a JSON object", 1),
    "a missing side": ("train.jsonl", '{"en":"a","de":"b"}\n{"en":"c"}\n{"en":"f","de":"g"}\n', "line 2: no 'de'", 1),
    "a number": ("train.json", '[{"en":"a","de":"b"},{"en":1,"de":"c"},{"en":"f","de":"g"}]', "item 2: 1 is", 1),
    "a tab too many, no header": ("x.tsv", "a\tb\nc\td\te\nf\tg\n", "line 2: 3 columns where the first row has 2", 1),
    "a column too many, no header": ("x.csv", "a;b\n" * 9 + "c;d;e\nf;g\n", "line 10: 3 columns where the first", 1),
    "an open quote": ("train.csv", 'en,de\na,b\n"c,d\nf,g\n', "line 3: unexpected end of data, the quote of line 3", 1),
    "an open quote before a quoted line": (
        "train.csv",
        'en,de\na,b\n"c,d\n"f","g"\n',
        "line 3: ',' expected after '\"', the quote of line 3 is not closed",
        1,
    ),
    "carriage returns": ("train.csv", "en,de\na,b\nc\rd,e\nf,g\n", "line 3: new-line character seen", 1),
    "a column too many": ("train.csv", "en;de\na;b\nc;d;e\nf;g\n", "line 3: 3 columns where the header has 2", 1),
    **{
        f"PO, {kind}": ("x.po", po([("a", "b")]) + entry + po([("f", "g")]).partition("\n\n")[2], words, 1)
        for kind, (entry, words) in PO_DAMAGE.items()
    },
    "an end of a memory": ("train.tmx", tmx([("a", "b"), ("f", "g")])[:-15] + "<tu", "not well-formed XML", 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(DAMAGE))
def test_damage_is_told_or_dropped_and_counted(tmp_path: Path, kind: str) -> None:
    name, content, words, count = DAMAGE[kind]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=f"{name}, .*{words}.*or give --errors skip"):
        read_train(tmp_path)
    text = read_all(tmp_path, skip=True)
    assert list(dict.fromkeys(text.parts["train"])) == [("a", "b"), ("f", "g")]
    assert text.damaged == {"train": count}
    assert any(f"{name}: {count} dropped as damaged (first: " in note and words in note for note in text.notes)


UNIT_DAMAGE = {
    "a bad byte": "c\udcff",
    "a bare &": "c & d",
    "an entity that is not defined": "&c;",
    "a control character": "c\x0b",
    "a bare <": "c < d",
    "an element that is open": "<hi>c",
    "a quote that is open": '<hi type="b>c</hi>',
    "a comment that is open": "c <!-- d",
    "an end too early": "c</body>",
}


@pytest.mark.parametrize("kind", list(UNIT_DAMAGE))
@pytest.mark.parametrize("name", ["x.tmx", "x.xlf", "x2.xlf"])
def test_a_fault_in_xml_drops_its_unit_alone(tmp_path: Path, name: str, kind: str) -> None:
    pairs = [
        ("a", "b"),
        (UNIT_DAMAGE[kind], "\n"),
        *[(f"f{i}", f"gä {i}") for i in range(900)],
        ("c", UNIT_DAMAGE[kind]),
    ]
    pairs += [("y", "z")]
    text = {"x.tmx": tmx(pairs), "x.xlf": xliff(pairs), "x2.xlf": xliff(pairs, 2)}[name]
    first = {"x.tmx": "<tu>", "x.xlf": "<trans-unit", "x2.xlf": "<unit"}[name]
    text = text.replace(first, f"<!-- {first}>&</tu> </trans-unit> </unit>\n-->{first}", 1)
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=rf"{name}, line \d+: not well-formed XML .*or give --errors skip"):
        read_train(tmp_path)
    read = read_all(tmp_path, skip=True)
    assert (read.parts["train"], read.damaged) == ([pairs[0], *pairs[2:-2], pairs[-1]], {"train": 2})
    line = text.count("\n", 0, text.index(pairs[1][0])) + 1
    elsewhere = kind.endswith("is open") or "entity" in kind  # which a parser notices later, or at no line
    assert elsewhere or f"{name}: 2 dropped as damaged (first: line {line}" in read.notes[0]


def test_an_unclosed_unit_costs_no_other(tmp_path: Path) -> None:
    text = tmx([("a", "b"), ("c", "d"), ("f", "g")])
    write(tmp_path / "x.tmx", text.replace("d</seg></tuv></tu>", "d"))
    assert read_train(tmp_path, skip=True) == [("a", "b"), ("f", "g")]


def test_the_entities_of_a_damaged_memory_are_not_resolved_either(tmp_path: Path) -> None:
    head = '<!DOCTYPE tmx [<!ENTITY x SYSTEM "/etc/passwd"><!ENTITY lol "lol">]>\n'
    write(tmp_path / "x.tmx", tmx([("&", "b"), ("&x;&lol;", "g")], head=head))
    assert read_train(tmp_path, skip=True) == [("&x;&lol;", "g")]


def test_where_all_is_damaged_the_message_says_so(tmp_path: Path) -> None:
    write(tmp_path / "x.tmx", tmx([("&", "b"), ("f", "& g")]))
    with pytest.raises(
        InputError, match=r"holds no pairs of en and de.* \(.*x\.tmx: 2 dropped as damaged \(first: line 3: not well"
    ):
        read_train(tmp_path, skip=True)


def test_a_bad_byte_drops_the_line_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "train.en").write_bytes(b"a\nb\xff\nc\n")
    (tmp_path / "train.de").write_bytes(b"1\n2\n3\n")
    text = read_all(tmp_path, skip=True)
    assert (text.parts["train"], text.damaged) == ([("a", "1"), ("c", "3")], {"train": 1})


def test_a_field_may_be_long(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", f'en,de\n"{LONG}",b\nc,d\n')
    assert read_train(tmp_path) == [(LONG, "b"), ("c", "d")]


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("data", ["cut", "other"])
def test_a_packed_file_that_is_cut_off_is_an_error(tmp_path: Path, packing: str, data: str) -> None:
    whole = PACK[packing](table("\t", "en\tde").encode() * 50)
    (tmp_path / f"x.tsv{packing}").write_bytes(whole[:-9] if data == "cut" else b"plain text, not packed")
    with pytest.raises(InputError, match=r"x\.tsv.* is not a complete .* file; pack it again"):
        read_train(tmp_path / f"x.tsv{packing}")


def test_a_missing_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, kind in {"lxml": "tmx", "polib": "po", "zstandard": "lines"}.items():
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(
            InputError, match=rf"needs the package {package}; install it: pip install 'seq2seq\[corpora\]'"
        ):
            read_train(SOURCES[kind](tmp_path / package, ".zst" if package == "zstandard" else ""))


# ---- several languages -----------------------------------------------------------------------------------------------


def test_the_language_pairs_of_a_source(tmp_path: Path) -> None:
    three = ("en", "de", "fr")
    rows = [("en", "de", "fr", "id"), ("a", "b", "", "1"), ("c", "", "d", "2"), ("", "e", " ", "3")]
    path = write(tmp_path / "x" / "train.tsv", lines(["\t".join(row) for row in rows]))
    request = Request(three)
    assert language_pairs(str(path.parent), request, "train") == [("en", "de"), ("en", "fr")]
    assert read_train(path, ("en", "fr"), sparse=True) == [("c", "d")]
    assert read_train(path, ("de", "fr"), sparse=True) == []
    for stem in ("Books.de-en.*", "Books.de-fr.fr", "Books.de-fr.de"):
        moses(stem)(tmp_path / "folder", "")
    assert language_pairs(str(tmp_path / "folder"), request, "train") == [("en", "de"), ("de", "fr")]
    for name in ("en-de.tsv", "en-fr.tsv.gz", "de-nl.tsv"):
        write(tmp_path / "tables" / name, table("\t"))
    assert language_pairs(str(tmp_path / "tables"), request, "train") == [("en", "de"), ("en", "fr")]
    write(tmp_path / "m.tmx", tmx(PAIRS, ("de", "fr-FR")))
    assert language_pairs(str(tmp_path / "m.tmx"), request, "train") == [("de", "fr")]


@pytest.mark.parametrize(
    "kind", ["sides", "sides, json", "no header", "no header, semicolons", "po", "xliff", "parquet"]
)
def test_what_does_not_name_its_languages_is_read_as_none_of_several(tmp_path: Path, kind: str) -> None:
    """It would be read as every pair of them."""
    if kind == "parquet":
        parquet.write_table(pyarrow.table({"source": ["a"], "target": ["b"]}), tmp_path / "x.parquet")
    else:
        SOURCES[kind](tmp_path, "")
    [path] = tmp_path.iterdir()
    if kind in ("po", "xliff"):
        write(path, path.read_text().replace("Language: de", "").replace("target-language", "x"))
    assert language_pairs(str(path), Request(("en", "de", "fr")), "train") == []
    for languages in (("de", "en"), ("en", "fr"), ("en", "de")):
        text = read_all(path, languages, sparse=True)
        assert (text.parts["train"], text.unread) == ([], [str(path)])
        assert not any("taken as" in note for note in text.notes)


def test_names_of_files_and_columns_that_are_given_say_the_languages_of_several(tmp_path: Path) -> None:
    request = Request(("fr", "de", "en"))
    named = write(tmp_path / "Sentence pairs in German-English.tsv", table("\t"))
    anki = write(tmp_path / "deu.txt", table("\t"))
    given = write(tmp_path / "x.csv", table(";"))
    for path, columns, pairs in (
        (named, (), [(b, a) for a, b in PAIRS]),
        (anki, (), PAIRS),
        (given, ("de", "en"), [(b, a) for a, b in PAIRS]),
        (given, ("en", "-"), []),
    ):
        found = language_pairs(str(path), request._replace(columns=columns), "train")
        assert found == ([("de", "en")] if pairs else [])
        assert read_train(path, BOTH, columns=columns, sparse=True) == pairs
        other = read_all(path, ("de", "fr"), columns=columns, sparse=True)
        assert (other.parts["train"], other.unread) == ([], [str(path)])
