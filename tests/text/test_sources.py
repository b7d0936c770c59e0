"""Several sources, with weights, and of more than two languages."""

from pathlib import Path

import pytest

from seq2seq.corpora.request import Request
from seq2seq.errors import InputError
from seq2seq.text.corpus import DataConfig, load, load_split
from seq2seq.text.sources import Pair, language_pairs, read, weighted


@pytest.fixture
def sources(tmp_path: Path) -> list[str]:
    """A folder with train and dev, a table with train and test, a table of three languages with gaps."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for part in ("train", "dev"):
        for language in ("en", "de"):
            (folder / f"{part}.{language}").write_text(f"{part} one {language}\n{part} two {language}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "train.tsv").write_text("en\tde\ntrain one en\ttrain one de\nmore en\tmore de\n")
    (tmp_path / "more" / "test.tsv").write_text("en\tde\ntest en\ttest de\n")
    (tmp_path / "three.tsv").write_text("fr\tde\tes\nfr 1\tde 1\t\nfr 2\t\tes 2\n")
    return [str(folder), f"{tmp_path / 'more'}=0.5", str(tmp_path / "three.tsv")]


@pytest.mark.parametrize(
    ("where", "expected"),
    [("a", ("a", 1.0)), ("a=2", ("a", 2.0)), ("a=b", ("a=b", 1.0)), ("hf:o/n:c=0.25", ("hf:o/n:c", 0.25))],
)
def test_a_source_and_its_weight(where: str, expected: tuple[str, float]) -> None:
    assert weighted(where) == expected


def test_a_path_that_is_there_has_no_weight(tmp_path: Path) -> None:
    path = tmp_path / "v=2"
    path.mkdir()
    assert weighted(str(path)) == (str(path), 1.0)
    assert weighted(f"{path}=3") == (str(path), 3.0)


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf"])
def test_a_weight_that_is_none_is_refused(weight: str) -> None:
    with pytest.raises(InputError, match="the weight must be a number above 0"):
        weighted(f"a={weight}")


def test_the_parts_of_several_sources_are_joined(sources: list[str]) -> None:
    """A pair that two sources hold has the weight of the first."""
    config = DataConfig((sources[0], sources[1]))
    corpus = load(config)
    assert corpus.train == [("train one en", "train one de"), ("train two en", "train two de"), ("more en", "more de")]
    assert corpus.weights == [1.0, 1.0, 0.5]
    assert (len(corpus.dev), list(corpus.tests)) == (2, ["test"])
    assert load_split(config, "test") == [Pair("test en", "test de")]
    assert load(DataConfig((sources[0],))).weights == []
    with pytest.raises(InputError, match="leave no pair for an epoch"):
        load(DataConfig((f"{sources[0]}=0.1",)))


def test_the_language_pairs_of_several_sources(sources: list[str]) -> None:
    request = Request(("en", "de", "fr", "es"))
    assert language_pairs(sources, request) == [("en", "de"), ("de", "fr"), ("fr", "es")]
    assert language_pairs(sources, request, "test") == [("en", "de")]
    text = read(sources, Request(("de", "fr"), sparse=True))
    assert text.parts == {"train": [Pair("de 1", "fr 1")]}
    assert read(sources, Request(("en", "es"), sparse=True)).parts == {}
    with pytest.raises(InputError, match=r"has no \.fr file beside it"):
        read(sources, Request(("de", "fr")))
