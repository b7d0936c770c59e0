"""Reading and cleaning a corpus: nothing is changed, dropped pairs are counted, every mistake is one line."""

import gzip
import hashlib
import json
import logging
import os
import random
import re
import subprocess
import sys

import datasets
import huggingface_hub
import pytest

from seq2seq.errors import InputError
from seq2seq.text.corpus import Corpus, DataConfig, load, load_split, shipped, with_monolingual
from seq2seq.text.sources import Pair, read_lines

# Each is lost or changed by some common reader: quotes, NA, null, numbers, dates, characters taken for line breaks.
AWKWARD = [
    ('"', 'an "open quote'),
    ("NA", "null"),
    ("1.0", "007"),
    ("2020-01-01", "2020-01-02"),
    ("a\u2028b\x0bc\x85d", "e\x0cf\x1cg"),
    ("two  spaces ", " outer"),
    ("a, b; c", "Ä'ö\\n"),
    ("🙂", "\ufefftext"),
]


def write_lines(path, lines):
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def text_folder(folder, **parts):
    """A folder of parallel text: `train=[(src, tgt), ...]`."""
    for part, pairs in parts.items():
        write_lines(folder / f"{part}.en", [en for en, _ in pairs])
        write_lines(folder / f"{part}.de", [de for _, de in pairs])
    return str(folder)


def numbered(n, start=0):
    return [(f"sentence {i}", f"Satz {i}") for i in range(start, start + n)]


def counts_add_up(corpus: Corpus):
    return all(part.read == part.kept + sum(part.dropped.values()) for part in corpus.report.parts)


def complaint(config, split=None):
    """The error message of `load` (or of `load_split`), which must be one line."""
    with pytest.raises(InputError) as caught:
        load(config) if split is None else load_split(config, split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------------- read_lines


@pytest.mark.parametrize("name", ["x.en", "x.en.gz"])
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb", ["a", "b"]),
        (b"a\n\n", ["a", ""]),
        (b"a\r\nb\r\r\n", ["a", "b\r"]),
        (b"a\rb\n", ["a\rb"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        ("a\u2028b\x0b\x0c\x1c\x85\n".encode(), ["a\u2028b\x0b\x0c\x1c\x85"]),
    ],
)
def test_lines_are_split_at_newlines_only(tmp_path, name, data, lines):
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert read_lines(path) == lines


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.en", None, "cannot read"),
        ("x.en", b"a\nb\n\xff\n", "line 3: not valid UTF-8"),
        ("x.en", b"\xed\xa0\x80", "line 1: not valid UTF-8"),
        ("x.en.gz", b"no gzip", "not a complete gzip file"),
        ("x.en.gz", gzip.compress(b"some text, and more", mtime=0)[:-9], "not a complete gzip file"),
        ("x.en.gz", gzip.compress(b"a\n\xe4\n", mtime=0), "line 2: not valid UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, data, message):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        read_lines(path)
    assert message in str(caught.value)


# ------------------------------------------------------------------------------------------------------------- sources


def write_text(folder, part, pairs, end=""):
    write_lines(folder / f"{part}.en{end}", [en for en, _ in pairs])
    write_lines(folder / f"{part}.de{end}", [de for _, de in pairs])


def write_tsv(folder, part, pairs, end=""):
    write_lines(folder / f"{part}.tsv{end}", ["de\tid\ten", *(f"{de}\t1\t{en}" for en, de in pairs)])


def write_csv(folder, part, pairs, end=""):
    quoted = ('"{}","{}"'.format(*(side.replace('"', '""') for side in pair)) for pair in pairs)
    write_lines(folder / f"{part}.csv{end}", ["en,de", *quoted])


def write_jsonl(folder, part, pairs, end=""):
    write_lines(folder / f"{part}.jsonl{end}", [json.dumps({"id": 1, "en": en, "de": de}) for en, de in pairs])


def write_translations(folder, part, pairs, end=""):
    write_lines(folder / f"{part}.jsonl{end}", [json.dumps({"translation": {"en": en, "de": de}}) for en, de in pairs])


def write_parquet(folder, part, pairs, end=""):
    columns = {"id": list(range(len(pairs))), "en": [en for en, _ in pairs], "de": [de for _, de in pairs]}
    datasets.Dataset.from_dict(columns).to_parquet(folder / f"{part}.parquet")


TEXT_WRITERS = [write_text, write_tsv, write_csv, write_jsonl, write_translations]


@pytest.mark.parametrize(("write", "end"), [*((w, e) for w in TEXT_WRITERS for e in ("", ".gz")), (write_parquet, "")])
def test_every_source_returns_what_was_written(tmp_path, write, end):
    datasets.disable_progress_bars()
    for part, pairs in {"train": AWKWARD, "dev": AWKWARD[:3], "test": AWKWARD[2:], "test_2": AWKWARD[:1]}.items():
        write(tmp_path, part, pairs, end)
    corpus = load(DataConfig(str(tmp_path)))
    assert corpus.train == AWKWARD
    assert corpus.dev == AWKWARD[:3]
    assert corpus.tests == {"test": AWKWARD[2:], "test_2": AWKWARD[:1]}
    swapped = load(DataConfig(str(tmp_path), src="de", tgt="en"))
    assert swapped.train == [(de, en) for en, de in AWKWARD]
    assert type(corpus.train[0]) is Pair
    assert load_split(DataConfig(str(tmp_path)), "test_2") == AWKWARD[:1]


@pytest.mark.parametrize("write", [write_tsv, write_csv, write_jsonl, write_parquet])
def test_a_table_may_be_the_source(tmp_path, write):
    """Its name says whether the dev part beside it is its own."""
    datasets.disable_progress_bars()
    write(tmp_path, "mine", numbered(5))
    write(tmp_path, "train", numbered(5))
    write(tmp_path, "dev", numbered(1, 5))
    write_text(tmp_path, "train", numbered(3, 9))
    [table], [mine], [dev] = (list(tmp_path.glob(f"{stem}.[!ed]*")) for stem in ("train", "mine", "dev"))
    corpus = load(DataConfig(str(table)))
    assert (corpus.train, corpus.dev) == (numbered(5), numbered(1, 5))
    assert corpus.report.notices[0] == f"{table}: beside it, read as dev: {dev.name}"
    alone = load(DataConfig(str(mine)))
    assert sorted([*alone.train, *alone.dev]) == numbered(5), "some of it are held out"
    name = f"train{table.suffix}"
    assert alone.report.notices[0] == (
        f"{mine}: beside it, not read: {dev.name}; what is beside a file is read if that is named {name}"
    )


def test_a_line_break_inside_a_field_becomes_a_space(tmp_path):
    (tmp_path / "train.csv").write_bytes(b'en,de\r\n"a\r\nb","c\nd"\r\nx,y\r\n')
    write_lines(tmp_path / "dev.jsonl", [json.dumps({"en": "a\nb", "de": "c\rd"})])
    corpus = load(DataConfig(str(tmp_path)))
    assert corpus.train == [("a b", "c d"), ("x", "y")]
    assert corpus.dev == [("a b", "c\rd")]


def test_null_is_empty_text_and_a_blank_row_is_an_empty_pair(tmp_path):
    write_lines(tmp_path / "train.jsonl", ['{"en": "a", "de": null}', '{"en": "b", "de": "c"}'])
    write_lines(tmp_path / "dev.tsv", ["en\tde", "", "a\tb"])
    corpus = load(DataConfig(str(tmp_path)))
    assert corpus.train == [("b", "c")]
    assert corpus.report.parts[0].dropped["empty"] == 1
    assert corpus.dev == [("", ""), ("a", "b")]


def test_reading_a_local_file_leaves_nothing_behind(tmp_path):
    """In a process of its own, because the place of the cache is fixed when datasets is imported."""
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir(), data.mkdir()
    datasets.disable_progress_bars()
    write_parquet(data, "train", numbered(4))
    write_csv(data, "dev", numbered(1))
    before = sorted(data.iterdir())
    code = f"from seq2seq.text.corpus import *; assert len(load(DataConfig({str(data)!r})).train) == 4"
    without_datasets = "import sys, seq2seq.text.corpus; assert 'datasets' not in sys.modules"
    env = {"HOME": str(home), "TMPDIR": str(home), "PATH": "", "PYTHONPATH": str(shipped().parent.parent)}
    command = [sys.executable, "-c", f"{without_datasets}; {code}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [p for p in home.rglob("*") if p.is_file()] == []
    assert sorted(data.iterdir()) == before


# ----------------------------------------------------------------------------------------------------------------- hub


def test_a_hub_data_set_may_hold_columns_or_translations(monkeypatch):
    languages = datasets.Features({"id": datasets.Value("int64"), "translation": datasets.Translation(["en", "de"])})
    rows = {"id": [1, 2], "translation": [{"en": "a", "de": "b\nc"}, {"en": "d", "de": "e"}]}
    columns = {"en": ["x", None], "de": ["y", "z"], "n": [1, 2]}
    hub = datasets.DatasetDict(
        {
            "train": datasets.Dataset.from_dict(rows, languages),
            "validation": datasets.Dataset.from_dict(columns),
            "test": datasets.Dataset.from_list([{"translation": {"de": "q", "en": "p"}}]),
            "unsupervised": datasets.Dataset.from_dict({"text": ["t"]}),
        }
    )
    calls = []
    monkeypatch.setattr(datasets, "load_dataset", lambda *args: calls.append(args) or hub)
    corpus = load(DataConfig("hf:some/thing:de-en"))
    assert corpus.train == [("a", "b c"), ("d", "e")]
    assert corpus.dev == [("x", "y"), ("", "z")]
    assert corpus.tests == {"test": [("p", "q")]}
    assert load_split(DataConfig("hf:some/thing"), "dev") == corpus.dev
    assert calls == [("some/thing", "de-en"), ("some/thing", None)]
    assert "no column 'fr', only id, translation.de, translation.en" in complaint(DataConfig("hf:some/thing", tgt="fr"))
    assert "column 'n' holds int64, not text" in complaint(DataConfig("hf:some/thing", tgt="n"), "dev")
    del hub["train"]
    assert "needs a split named train" in complaint(DataConfig("hf:some/thing"))


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    message = complaint(DataConfig("hf:nobody/nothing"))
    assert message.startswith("cannot load hf:nobody/nothing: ")
    assert message.endswith("check the name and the network")
    assert "names no data set" in complaint(DataConfig("hf:"))


def process_settings():
    """What reading must not change in the program that calls it."""
    return {
        "levels": [logging.getLogger(name).level for name in ("datasets", "huggingface_hub")],
        "progress bars disabled": datasets.are_progress_bars_disabled(),
        "telemetry disabled": huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY,
        "environment": dict(os.environ),
    }


@pytest.fixture
def host(monkeypatch):
    """The settings of a calling program that has changed none; afterwards those from before the test."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY", raising=False)
    loggers = [logging.getLogger(name) for name in ("datasets", "huggingface_hub")]
    levels, no_bars = [logger.level for logger in loggers], datasets.are_progress_bars_disabled()
    datasets.enable_progress_bars()
    yield monkeypatch
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    (datasets.disable_progress_bars if no_bars else datasets.enable_progress_bars)()


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.CRITICAL])
def test_reading_is_quiet_and_restores_the_settings_of_the_process(host, level, fails, bars):
    logging.getLogger("datasets").setLevel(level)
    logging.getLogger("huggingface_hub").setLevel(logging.INFO)
    (datasets.enable_progress_bars if bars else datasets.disable_progress_bars)()
    before, inside = process_settings(), []

    def load_dataset(*args):
        inside.append(process_settings())
        inside.append(huggingface_hub.utils.build_hf_headers(token=False)["user-agent"])
        if fails:
            raise OSError("no network")
        return datasets.DatasetDict({"train": datasets.Dataset.from_dict({"en": ["a", "b"], "de": ["c", "d"]})})

    host.setattr(datasets, "load_dataset", load_dataset)
    assert "torch/" in huggingface_hub.utils.build_hf_headers(token=False)["user-agent"]
    if fails:
        assert "no network" in complaint(DataConfig("hf:some/thing"))
    else:
        load(DataConfig("hf:some/thing"))
    quiet = {"levels": [logging.ERROR] * 2, "progress bars disabled": True, "telemetry disabled": True}
    assert inside[0] == before | quiet
    assert "torch/" not in inside[1]
    assert process_settings() == before


def test_reading_local_files_restores_the_settings_of_the_process(host, tmp_path):
    before = process_settings()
    load(DataConfig(text_folder(tmp_path, train=numbered(9))))
    complaint(DataConfig(str(tmp_path / "nowhere")))
    assert process_settings() == before


def test_the_environment_may_allow_telemetry(host):
    host.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    inside = []
    host.setattr(datasets, "load_dataset", lambda *args: inside.append(process_settings()) or {})
    assert "no train part" in complaint(DataConfig("hf:some/thing"))
    assert inside[0]["telemetry disabled"] is False


# ------------------------------------------------------------------------------------------------------------ cleaning

GOOD = ("a good sentence", "ein guter Satz")


@pytest.mark.parametrize(
    ("setting", "kept", "dropped", "reason"),
    [
        ({}, ("Prost!", "Here's to your health!"), ("Prost", "x" * 31), "length ratio"),
        ({"max_ratio": 2.0}, ("x" * 16, "x" * 32), ("x" * 33, "x" * 16), "length ratio"),
        ({"max_words": 3}, ("a b c", "d e f"), ("a", "a b c d"), "too long"),
        ({"max_chars": 15}, ("x" * 15, "y"), ("x", "y" * 16), "too long"),
        ({}, (" a ", "b"), (" \t\u3000", "b"), "empty"),
        ({}, ("a good sentence", "ein guter satz"), GOOD, "duplicate"),
        ({"deduplicate": False}, GOOD, ("a", ""), "empty"),
    ],
)
def test_cleaning_drops_by_each_reason_and_nothing_else(tmp_path, setting, kept, dropped, reason):
    where = text_folder(tmp_path, train=[GOOD, kept, dropped], dev=[dropped], test=[dropped, dropped])
    corpus = load(DataConfig(where, **setting))
    assert corpus.train == [GOOD, kept]
    assert {r: n for r, n in corpus.report.parts[0].dropped.items() if n} == {reason: 1}
    assert (corpus.dev, corpus.tests) == ([dropped], {"test": [dropped, dropped]})
    assert counts_add_up(corpus)


def test_the_report_is_a_table_of_every_part(tmp_path):
    train = [*numbered(1200), *numbered(7), ("", "x")]
    where = text_folder(tmp_path, train=train, dev=[("", "")], test=numbered(2, 5000))
    report = load(DataConfig(where)).report
    assert str(report).split("\n") == [
        "part    read  empty  too long  length ratio  duplicate   kept",
        "train  1,208      1         0             0          7  1,200",
        "dev        1      0         0             0          0      1",
        "test       2      0         0             0          0      2",
    ]
    assert report.notices == []


def test_pairs_of_train_in_dev_or_test_are_reported_and_kept(tmp_path):
    where = text_folder(tmp_path, train=numbered(9), dev=numbered(2, 8), test=numbered(2, 20), test2=numbered(3))
    corpus = load(DataConfig(where))
    assert len(corpus.train) == 9
    assert [n.split(";")[0] for n in corpus.report.notices] == [
        "1 of 2 dev pairs are in train too",
        "3 of 3 test2 pairs are in train too",
    ]


# ------------------------------------------------------------------------------------------------------------ held out


@pytest.mark.parametrize(
    ("n", "share", "held_out"), [(2, 0.0, 1), (10, 0.02, 1), (200, 0.02, 4), (200, 0.5, 100), (5000, 0.5, 2000)]
)
def test_without_a_dev_part_a_share_of_train_is_held_out(tmp_path, n, share, held_out):
    corpus = load(DataConfig(text_folder(tmp_path, train=numbered(n)), dev_share=share))
    assert len(corpus.dev) == held_out
    assert sorted(corpus.train + corpus.dev) == sorted(numbered(n))
    assert corpus.report.notices == [f"no dev part: {held_out:,} of {n:,} train pairs are held out as dev"]
    assert corpus.report.parts[0].dropped["held out"] == held_out
    assert "held out" in str(corpus.report)
    assert counts_add_up(corpus)


def test_the_held_out_pairs_do_not_depend_on_order_and_share_no_source_with_train(tmp_path):
    pairs = [(f"sentence {i}", f"Satz {i} {way}") for i in range(100) for way in range(3)]
    (tmp_path / "shuffled").mkdir()
    straight = DataConfig(text_folder(tmp_path, train=pairs), dev_share=0.1)
    random.Random(1).shuffle(pairs)
    shuffled = DataConfig(text_folder(tmp_path / "shuffled", train=pairs), dev_share=0.1)
    corpus = load(straight)
    assert len(corpus.dev) == 30
    assert not {p.src for p in corpus.dev} & {p.src for p in corpus.train}
    assert sorted(load(shuffled).dev) == sorted(corpus.dev)
    assert load_split(straight, "dev") == corpus.dev
    assert load_split(straight, "train") == corpus.train


def test_the_held_out_pairs_are_spread_over_the_alphabet(tmp_path):
    pairs = sorted(numbered(200))
    dev = load(DataConfig(text_folder(tmp_path, train=pairs), dev_share=0.1)).dev
    assert len(dev) == 20
    assert dev != pairs[:20]
    assert any(pairs.index(pair) >= 100 for pair in dev)


def test_a_sentence_with_more_translations_than_the_share_is_held_out_with_all(tmp_path):
    pairs = [(f"sentence {i}", f"Satz {i} {way}") for i in range(3) for way in range(3)]
    corpus = load(DataConfig(text_folder(tmp_path, train=pairs)))
    assert (len(corpus.train), len(corpus.dev)) == (6, 3)
    assert len({pair.src for pair in corpus.dev}) == 1


# --------------------------------------------------------------------------------------------------------- monolingual


def test_lines_of_one_language_are_cleaned_as_pairs_are(tmp_path):
    where = text_folder(tmp_path, train=[("a", "x"), ("b", "y")], dev=[("c", "z")], test=[("d", "z")])
    write_lines(tmp_path / "more.de.gz", ["", "x", "z", "neu", "neu", "viel zu lang", " "])
    write_lines(tmp_path / "more.en", ["x", "b", "eins"])
    write_lines(tmp_path / "rest.de", ["neu", "neuer"])
    more = [str(tmp_path / name) for name in ("more.de.gz", "more.en", "rest.de")]
    config = DataConfig(where, max_words=2, monolingual=(*more,))
    corpus = with_monolingual(load(config), config)
    assert corpus.monolingual == (["x", "eins"], ["z", "neu", "neuer"])
    assert [(part.name, part.read, part.kept) for part in corpus.report.parts[-3:]] == [
        ("more.de.gz", 7, 2),
        ("more.en", 3, 2),
        ("rest.de", 2, 1),
    ]
    assert counts_add_up(corpus)
    assert corpus.report.parts[-3].dropped == {"empty": 2, "too long": 1, "duplicate": 2}
    notices = [notice for notice in corpus.report.notices if "more" in notice]
    assert notices == [f"1 of 1 {part} lines are in {more[0]} too; scores will be too high" for part in ("dev", "test")]
    assert with_monolingual(load(config), DataConfig(where)).report == load(config).report


@pytest.mark.parametrize(("name", "message"), [("more.fr", "neither .en nor .de"), ("none.de", "cannot read")])
def test_a_file_of_another_language_or_that_is_missing_is_named(tmp_path, name, message):
    config = DataConfig(text_folder(tmp_path, train=numbered(5)), monolingual=(str(tmp_path / name),))
    with pytest.raises(InputError, match=f"{name}.*{message}|{message}.*{name}"):
        with_monolingual(load(config), config)


def test_a_split_is_read_alone_and_whole(tmp_path):
    where = text_folder(tmp_path, test=[("", "x"), GOOD, GOOD])
    write_lines(tmp_path / "train.en", ["that train.de is empty is an error only if train is read"])
    write_lines(tmp_path / "train.de", [])
    assert load_split(DataConfig(where), "test") == [("", "x"), GOOD, GOOD]
    assert "has 1 lines but" in complaint(DataConfig(where), "train")


# ------------------------------------------------------------------------------------------------------------ mistakes


def broken(folder, **files):
    for name, lines in files.items():
        write_lines(folder / name.replace("_", "."), lines)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ["has no train part", "train.en and train.de"]),
        ({"test_en": ["a"], "test_de": ["b"]}, ["has no train part"]),
        ({"train_en": ["a"]}, ["train.en has no .de file beside it"]),
        ({"train_de": ["a"]}, ["train.de has no .en file beside it"]),
        ({"train_en": ["a", "b"], "train_de": ["a"]}, ["train.en has 2 lines", "train.de has 1"]),
        ({"train_en": [], "train_de": []}, ["train part", "holds no pairs"]),
        ({"train_en": ["", " "], "train_de": ["a", "b"]}, ["of 2 train pairs none is left", "2 empty"]),
        ({"train_en": ["a"], "train_de": ["b"]}, ["of 1 train pairs none is left", "1 held out"]),
        ({"train_en": ["a"], "train_de": ["b"], "dev_tsv": ["en\tde"]}, ["dev part", "holds no pairs"]),
        ({"train_en": ["a"], "train_en_gz": ["a"], "train_de": ["b"]}, ["more than one file is the train part"]),
        ({"train_en": ["a"], "train_de": ["a"], "train_tsv": ["b"]}, ["more than one file is the train part"]),
        ({"train_en": ["a"], "train_de": ["a"], "dev_csv": ["b"], "val_csv": ["b"]}, ["is the dev part", "val.csv"]),
        ({"train_tsv": []}, ["holds no pairs"]),
        ({"train_tsv": ["en\tfr", "a\tb"]}, ["train.tsv, line 2", "no column 'de', only en, fr"]),
        ({"train_tsv": ["a", "b"]}, ["train.tsv has one column (first row: 'a')", "tabs"]),
        ({"train_tsv": ["en\tde\tde", "a\tb\tc"]}, ["train.tsv: de, de all fit 'de'; rename one of them"]),
        ({"train_tsv": ["en\tde", "a\tb", "a"]}, ["train.tsv, line 3", "1 columns where the header has 2"]),
        ({"train_tsv": ["en\tde", "a\tb\tc"]}, ["train.tsv, line 2", "3 columns where the header has 2"]),
        ({"train_csv": ["en,de", "a,b,c"]}, ["train.csv, line 2", "3 columns where the header has 2"]),
        ({"train_csv": ["en,de", 'a,"b', "c,d"]}, ["train.csv, line 2", "unexpected end of data"]),
        ({"train_jsonl": ['{"en": "a", "de": "b"}', "{"]}, ["train.jsonl, line 2", "not a JSON object"]),
        ({"train_jsonl": ['["a", "b"]']}, ["train.jsonl, line 1", "not a JSON object"]),
        ({"train_jsonl": ['{"en": "a"}']}, ["train.jsonl, line 1", "no column 'de', only en"]),
        ({"train_jsonl": ['{"en": "a", "de": 1.0}']}, ["train.jsonl, line 1", "1.0 is not text"]),
        ({"train_jsonl": ['{"en": "a", "de": "\\ud800"}']}, ["train.jsonl", "half of a surrogate pair"]),
        ({"train_parquet": ["no parquet"]}, ["train.parquet cannot be read as parquet"]),
    ],
)
def test_a_mistake_in_the_files_is_one_line_that_names_the_file(tmp_path, files, words):
    broken(tmp_path, **files)
    message = complaint(DataConfig(str(tmp_path)))
    assert str(tmp_path) in message
    assert all(part in message for part in words), message


def test_the_same_part_in_two_folders_is_one_line(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        text_folder(tmp_path / folder, train=numbered(5))
    message = complaint(DataConfig(str(tmp_path)))
    assert "more than one file is the train part" in message and "give each folder as a --data of its own" in message


def test_a_column_of_two_languages_is_one_line(tmp_path):
    write_lines(tmp_path / "train.tsv", ["en\tpt", "a\tb"])
    message = complaint(DataConfig(str(tmp_path), src="pt", tgt="pt-BR"))
    assert "pt is both 'pt' and 'pt-BR'; name one of the two languages" in message


def test_a_wrong_path_or_language_or_split_is_one_line(tmp_path):
    where = text_folder(tmp_path, train=numbered(5), test=numbered(1))
    write_lines(tmp_path / "readme.txt", ["no table"])
    assert "is not there" in complaint(DataConfig(str(tmp_path / "nowhere")))
    assert "is not a .tsv" in complaint(DataConfig(str(tmp_path / "readme.txt")))
    assert "its first line has no tab" in complaint(DataConfig(str(tmp_path / "readme.txt")))
    assert "both 'en'" in complaint(DataConfig(where, tgt="en"))
    assert "train.fr" in complaint(DataConfig(where, src="fr", tgt="es"))
    assert "no split 'tset'; there are: test, train" in complaint(DataConfig(where), "tset")


def test_numbers_in_a_parquet_column_are_refused(tmp_path):
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict({"en": [1, 2], "de": ["a", "b"]}).to_parquet(tmp_path / "train.parquet")
    assert "column 'en' holds int64, not text" in complaint(DataConfig(str(tmp_path)))


# ---------------------------------------------------------------------------------------------- the corpus that ships


@pytest.fixture(scope="module")
def ours():
    return load(DataConfig())


def letters(text):
    """Without case, punctuation and spaces; the script that made the parts computes this in another way."""
    return re.sub(r"[\W_]+", "", text.casefold())


def test_the_shipped_corpus_is_clean(ours):
    assert [len(part) for part in (ours.train, ours.dev, ours.tests["test"])] == [36509, 1000, 1000]
    assert list(ours.tests) == ["test"]
    assert not any(any(part.dropped.values()) for part in ours.report.parts)
    assert ours.report.notices == []


@pytest.mark.parametrize("side", ["src", "tgt"])
def test_no_sentence_of_the_shipped_corpus_is_in_two_parts(ours, side):
    parts = (ours.train, ours.dev, ours.tests["test"])
    train, dev, test = ({letters(getattr(pair, side)) for pair in part} for part in parts)
    assert not train & dev
    assert not train & test
    assert not dev & test


def test_the_readme_of_the_shipped_corpus_is_correct():
    page = (shipped() / "README.md").read_text(encoding="utf-8")
    sums = dict(line.split("  ")[::-1] for line in re.findall(r"^[0-9a-f]{64}  \S+$", page, re.MULTILINE))
    packed = sorted(shipped().glob("*.gz"))
    assert {p.name.removesuffix(".gz") for p in packed} == sums.keys()
    for path in packed:
        assert hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() == sums[path.name.removesuffix(".gz")]
    for part in ("train", "dev", "test"):
        ids = read_lines(shipped() / f"{part}.id.gz")
        assert f"| {part} | {len(ids):,} |" in page
        assert all(i.isdecimal() for i in ids)
        assert len(set(ids)) == len(ids) == len(read_lines(shipped() / f"{part}.en.gz"))
    assert "Tatoeba contributors" in page
    assert "CC BY 2.0" in page
    assert sum(path.stat().st_size for path in shipped().iterdir()) < 2_000_000
