"""The corpora of many languages: from tables with gaps, files by language and JSON lines; opposite directions agree."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from languages_task import DIRECTIONS, LANGUAGES, rows, write_table, write_text

from seq2seq.corpora.request import Request
from seq2seq.errors import InputError
from seq2seq.text.corpus import DataConfig
from seq2seq.text.multilingual import load_all, load_splits, report_of
from seq2seq.text.sources import Pair, language_pairs


def config(where: Path, *directions: str, languages: tuple[str, ...] = LANGUAGES) -> DataConfig:
    return DataConfig(where=str(where), src="", tgt="", languages=languages, directions=directions)


def test_rows_that_lack_a_language_are_no_pairs_of_it(tmp_path: Path) -> None:
    write_text(tmp_path, 100)
    corpora = load_all(config(tmp_path))
    assert set(corpora) == {*DIRECTIONS, ("fr", "en"), ("fr", "de")}
    assert {direction: len(corpus.train) for direction, corpus in corpora.items()} == {
        ("en", "de"): 80,
        ("en", "fr"): 80,
        ("de", "en"): 80,
        ("de", "fr"): 60,
        ("fr", "en"): 80,
        ("fr", "de"): 60,
    }
    for (src, tgt), corpus in corpora.items():
        for part, pairs in {"train": corpus.train, "dev": corpus.dev, **corpus.tests}.items():
            opposite = corpora[tgt, src]
            mirrored = {"train": opposite.train, "dev": opposite.dev, **opposite.tests}[part]
            assert [Pair(b, a) for a, b in mirrored] == pairs
            assert pairs and all(map(str.strip, (side for pair in pairs for side in pair)))
    report = str(report_of(corpora))
    assert [line.split()[:3] for line in report.splitlines()[1:]] == [
        [name, part, count]
        for name, counts in (("en-de", (80, 16, 40)), ("en-fr", (80, 16, 40)), ("de-fr", (60, 12, 40)))
        for part, count in zip(("train", "dev", "test"), map(str, counts), strict=True)
    ]


def test_files_by_language_and_json_lines(tmp_path: Path) -> None:
    sentences = rows(30)
    for language in LANGUAGES:
        text = "".join(f"{row[language]}\n" for row in sentences)
        (tmp_path / "lines").mkdir(exist_ok=True)
        (tmp_path / "lines" / f"train.{language}").write_text(text)
    objects = [{k: row[k] for k in LANGUAGES if (k, i % 2) != ("fr", 1)} for i, row in enumerate(sentences)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in objects))
    whole, gaps = load_all(config(tmp_path / "lines")), load_all(config(tmp_path / "train.jsonl"))
    for (src, tgt), corpus in whole.items():
        pairs = {Pair(row[src], row[tgt]) for row in sentences}
        assert {*corpus.train, *corpus.dev} == pairs
        half = {Pair(row[src], row[tgt]) for row in sentences[::2]}
        assert {*gaps[src, tgt].train, *gaps[src, tgt].dev} == (half if "fr" in (src, tgt) else pairs)


def test_what_is_held_out_of_one_direction_is_not_trained_on_in_the_other(tmp_path: Path) -> None:
    write_table(tmp_path / "train.tsv", rows(200))
    corpora = load_all(config(tmp_path))
    one, other = corpora["en", "de"], corpora["de", "en"]
    assert len(one.dev) > 1
    assert {(tgt, src) for src, tgt in other.dev} == set(one.dev)
    # It stays the same if other languages, or other directions, are read.
    again = load_all(config(tmp_path, "de-en", languages=("de", "en")))
    assert again["de", "en"].dev == other.dev
    assert load_splits(config(tmp_path, "de-en"), "dev") == {("de", "en"): other.dev}


def test_only_directions_that_are_asked_for_are_read(tmp_path: Path) -> None:
    write_text(tmp_path, 20)
    assert list(load_all(config(tmp_path, "de-en", "en-fr"))) == [("de", "en"), ("en", "fr")]
    assert list(load_splits(config(tmp_path, "de-en", "en-fr"), "test")) == [("de", "en"), ("en", "fr")]


def test_a_direction_without_text_is_named(tmp_path: Path) -> None:
    write_text(tmp_path, 20)
    with pytest.raises(
        InputError, match=r"has no text of en to it; there is en to de, de to en, en to fr, .*check --data"
    ):
        load_all(config(tmp_path, "en-it", languages=("en", "de", "fr", "it")))
    with pytest.raises(InputError, match="it has no training text of two of these languages"):
        load_all(config(tmp_path, languages=("it", "es")))
    with pytest.raises(InputError, match="has no split 'nothing'"):
        load_splits(config(tmp_path), "nothing")
    with pytest.raises(InputError, match="is not there"):
        load_all(config(tmp_path / "nowhere"))


def test_a_table_of_three_languages_needs_a_header_or_the_names_of_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "train.tsv", rows(20), gaps=False)
    lines = (tmp_path / "train.tsv").read_text().splitlines(keepends=True)
    (tmp_path / "train.tsv").write_text("".join(lines[1:]))
    with pytest.raises(
        InputError, match="or name the columns of a table without a header, --columns en,de,fr; a header "
    ):
        load_all(config(tmp_path, languages=("en", "de", "fr")))
    named = replace(config(tmp_path, languages=("en", "de", "fr")), columns=tuple(lines[0].split()))
    assert len(load_all(named)) == 6


def test_a_table_that_does_not_name_its_languages_is_none_of_a_folder(tmp_path: Path) -> None:
    write_table(tmp_path / "a.tsv", rows(20), gaps=False)
    for name, header in (("b.tsv", "source\ttarget\n"), ("c.tsv", "")):
        (tmp_path / name).write_text(header + "Sure.\tBestimmt.\n")
    corpora = load_all(config(tmp_path, languages=("en", "de", "fr")))
    assert not any("Sure." in pair for text in corpora.values() for pair in [*text.train, *text.dev])
    [note] = [note for text in corpora.values() for note in text.report.notices if "not read" in note]
    assert "not read: b.tsv, c.tsv; give what is to be used as a further --data, and see that it names" in note


def test_a_pair_of_languages_with_too_little_text_is_left_out_with_a_notice(tmp_path: Path) -> None:
    sentences = [{**row, "fr": ""} for row in rows(30)]
    sentences[0]["fr"] = "1"
    write_table(tmp_path / "train.tsv", sentences, gaps=False)
    corpora = load_all(config(tmp_path))
    assert set(corpora) == {("en", "de"), ("de", "en")}
    notices = report_of(corpora).notices
    assert any("en-fr is left out" in notice for notice in notices), notices
    assert any("de-fr is left out" in notice for notice in notices), notices


def test_files_that_another_direction_reads_are_not_reported_as_unread(tmp_path: Path) -> None:
    for language in ("en", "de", "fr", "it"):
        (tmp_path / f"train.{language}").write_text("".join(f"{language} {i}\n" for i in range(40)))
    notices = report_of(load_all(config(tmp_path))).notices
    unread = [notice for notice in notices if "not read" in notice]
    assert unread and all("not read: train.it;" in notice for notice in unread), unread
    assert len(unread) == 1
    notices = report_of(load_all(config(tmp_path, "en-de"))).notices
    assert any("not read: train.fr, train.it;" in notice for notice in notices), notices


def test_files_that_say_their_languages_inside_are_not_reported_as_unread(tmp_path: Path) -> None:
    """Each of these is read for one pair of languages only."""
    files = list[str]()
    for target in ("de", "fr"):
        units = "".join(
            f"<trans-unit id='{i}'><source>{i} words</source><target>{i} {target}</target></trans-unit>"
            for i in range(30)
        )
        head = f"<file original='x' datatype='plaintext' source-language='en' target-language='{target}'>"
        files.append(str(tmp_path / f"{target}.xlf"))
        text = f"<xliff version='1.2'>{head}<body>{units}</body></file></xliff>"
        Path(files[-1]).write_text(text, encoding="utf-8")
    notices = report_of(load_all(replace(config(tmp_path), where=tuple(files)))).notices
    assert [notice for notice in notices if "not read" in notice] == []


def test_which_pairs_a_source_holds(tmp_path: Path) -> None:
    write_text(tmp_path, 20)
    three, two = Request(("fr", "it", "en"), sparse=True), Request(("fr", "en"), sparse=True)
    assert language_pairs([str(tmp_path)], three) == [("fr", "en")]
    assert language_pairs([str(tmp_path)], two, "test") == [("fr", "en")]
    assert language_pairs([str(tmp_path)], two, "test2") == []
    assert language_pairs([str(tmp_path / "test.tsv")], two) == [("fr", "en")]
