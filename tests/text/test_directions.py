"""Directions: their names, the default, how often each is read; and the detector."""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product
from types import SimpleNamespace

import numpy as np
import pytest

from seq2seq.errors import InputError
from seq2seq.languages.identification import Likely
from seq2seq.text.detection import detect
from seq2seq.text.directions import EpochRows, choose_direction, listed, parse_directions

KNOWN = [("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en"), ("de", "fr")]


def test_directions_are_parsed_by_the_languages_they_are_between() -> None:
    assert parse_directions([], ["en", "de"]) == [("en", "de"), ("de", "en")]
    assert len(parse_directions([], ["en", "de", "fr"])) == 6
    assert parse_directions(["zh-CN-en", "en-zh-CN"], ["en", "zh-CN"]) == [("zh-CN", "en"), ("en", "zh-CN")]


@pytest.mark.parametrize(
    ("names", "languages", "words"),
    [
        (["en-fr"], ["en", "de"], "'en-fr' is no direction between these languages; there are: en-de, de-en"),
        (["en-en"], ["en", "de"], "'en-en' is no direction"),
        ([], ["en"], "en is named alone"),
        ([], ["en", "de", "en"], "en is named twice"),
        ([], ["en", ""], "'' is no code"),
        ([], ["en", "d e"], "'d e' is no code"),
    ],
)
def test_a_wrong_direction_or_language_is_named(names: list[str], languages: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_directions(names, languages)


@pytest.mark.parametrize(
    ("from_", "to", "chosen"),
    [
        (None, None, ("en", "de")),
        (None, "en", ("de", "en")),
        (None, "fr", ("en", "fr")),
        ("fr", None, ("fr", "en")),
        ("de", "fr", ("de", "fr")),
    ],
)
def test_the_default_direction(from_: str | None, to: str | None, chosen: tuple[str, str]) -> None:
    assert choose_direction(KNOWN, from_, to) == chosen


def test_an_unknown_direction_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no translation from fr to de; there is en to de, de to en, en to fr, "):
        choose_direction(KNOWN, "fr", "de")


def test_many_directions_are_named_by_their_languages() -> None:
    every = list(permutations(("en", "de", "fr", "ja"), 2))
    assert listed(every) == "all between en, de, fr, ja"
    assert listed(every[1:]).startswith("en to fr, en to ja, de to en, ")


# ---- sampling --------------------------------------------------------------------------------------------------------

SIZES = [50, 20, 7, 1]


@pytest.mark.parametrize(("temperature", "seed"), list(product([1.0, 1.5, 5.0, 100.0], [1, 2])))
def test_no_pair_is_read_more_than_once_more_often_than_another_of_its_direction(temperature: float, seed: int) -> None:
    rows = EpochRows(SIZES, temperature, seed)
    total = Counter[int]()
    for epoch in range(5):
        new = Counter(rows(epoch).tolist())
        total += new
        start = 0
        for size, (_, count) in zip(SIZES, rows.groups, strict=True):
            for times in (new, total):
                read = [times[row] for row in range(start, start + size)]
                assert max(read) - min(read) <= 1
            assert sum(new[row] for row in range(start, start + size)) == count >= size
            start += size


def test_the_share_of_a_direction_is_its_power() -> None:
    assert [count for _, count in EpochRows(SIZES, 1.0, 1).groups] == SIZES
    counts = [count for _, count in EpochRows([10_000, 400], 2.0, 1).groups]
    assert counts == [10_000, 2_000]  # sqrt(400 / 10,000) = 1 / 5


def test_an_epoch_is_a_function_of_the_seed_and_its_number() -> None:
    rows = EpochRows(SIZES, 2.0, 3)
    third = rows(3)
    rows(0)
    assert np.array_equal(rows(3), third)
    assert np.array_equal(EpochRows(SIZES, 2.0, 3)(3), third)
    assert not np.array_equal(rows(2), third)
    assert not np.array_equal(EpochRows(SIZES, 2.0, 4)(3), third)


# ---- detection -------------------------------------------------------------------------------------------------------


def ranking(patch: pytest.MonkeyPatch, *codes: str) -> None:
    """Take an identifier that ranks these languages, the likeliest first, whatever the text is."""
    ranked = [(code, -float(i)) for i, code in enumerate(codes)]
    identifier = SimpleNamespace(rank=lambda text: ranked, labels=codes)
    patch.setattr("seq2seq.languages.identification._identifier", lambda: identifier)


def test_the_likeliest_language_that_can_be_translated_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    ranking(monkeypatch, "it", "fr", "de", "en")
    assert detect("x", KNOWN, "en") == ("fr", "en")
    assert detect("x", KNOWN, "fr") == ("de", "fr")
    assert detect("x", KNOWN, None) == ("fr", "en")
    ranking(monkeypatch, "zh", "en")
    assert detect("x", [("en", "fr"), ("zh-CN", "fr")], "fr") == ("zh-CN", "fr")


@pytest.mark.parametrize(("share", "src"), [(0.95, "en"), (0.9, "en"), (0.6, "fr")])
def test_a_text_that_is_certainly_in_the_target_language_is_said_to_be(
    share: float, src: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few words are not: "Hello." may be Spanish to a detector, which nobody wants to have back."""
    asked: list[Sequence[str]] = []

    def rank(text: str, languages: Sequence[str]) -> list[Likely]:
        asked.append(languages)
        return [Likely("en", share), Likely("fr", 1 - share)]

    monkeypatch.setattr("seq2seq.text.detection.rank", rank)
    monkeypatch.setattr("seq2seq.text.detection.is_installed", lambda: True)
    assert detect("x", KNOWN, "en") == (src, "en")
    assert asked == [["de", "fr", "en"]]
    assert detect("x", KNOWN, None) == ("en", "de")


def test_a_single_source_needs_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    assert detect("x", KNOWN, "de") == ("en", "de")
    with pytest.raises(InputError, match=r"the package py3langid; install it \(pip install 'seq2seq\[detect\]'\)"):
        detect("x", KNOWN, "en")


def test_where_nothing_tells_it_is_english_or_the_first_language(monkeypatch: pytest.MonkeyPatch) -> None:
    ranking(monkeypatch, "fr", "de", "en")
    assert detect("1 + 1 = 2", [("de", "fr"), ("en", "fr")], "fr") == ("en", "fr")
    assert detect("", [("de", "fr"), ("it", "fr")], "fr") == ("de", "fr")


def test_what_cannot_be_detected_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ranking(monkeypatch, "it")
    with pytest.raises(InputError, match="the detector knows none of the languages de, fr"):
        detect("x", KNOWN, "en")
    with pytest.raises(InputError, match="no translation to ja; there is en to de, "):
        detect("x", KNOWN, "ja")


def test_the_installed_detector() -> None:
    pytest.importorskip("py3langid")
    known = [(src, "x") for src in ("en", "de", "fr", "ja")]
    for src, text in (
        ("de", "Das ist ein kurzer Satz über das Wetter."),
        ("fr", "Il fait beau aujourd'hui."),
        ("ja", "今日は天気がいいですね。"),
        ("en", "The weather is nice today."),
    ):
        assert detect(text, known, "x") == (src, "x")
