"""Each kind of problem gives a notice with the numbers of its pairs; clean text gives none."""

import random
import re
from pathlib import Path

import pytest

from seq2seq.text.corpus import DataConfig, load, shipped
from seq2seq.text.quality import correlation, quality_checks, script

EN = [
    "the",
    "a",
    "dog",
    "cat",
    "man",
    "house",
    "sees",
    "has",
    "not",
    "very",
    "old",
    "new",
    "today",
    "with",
    "from",
    "under",
    "over",
    "his",
    "her",
    "big",
]
DE = [
    "der",
    "ein",
    "Hund",
    "Katze",
    "Mann",
    "Haus",
    "sieht",
    "hat",
    "nicht",
    "sehr",
    "alt",
    "neu",
    "heute",
    "mit",
    "von",
    "unter",
    "über",
    "sein",
    "ihr",
    "groß",
]


def sides(count: int = 400) -> tuple[list[str], list[str]]:
    """Sentences of 2 to 15 words, translated word for word."""
    draw, pairs = random.Random(3), []
    for _ in range(count):
        words = draw.choices(range(len(EN)), k=draw.randint(2, 15))
        pairs.append((" ".join(EN[w] for w in words), " ".join(DE[w] for w in words)))
    src, tgt = zip(*pairs, strict=True)
    return list(src), list(tgt)


def notices_of(src: list[str], tgt: list[str]) -> list[str]:
    return quality_checks(src, tgt, ("en", "de"))


def test_clean_text_gives_no_notice() -> None:
    assert notices_of(*sides()) == []


def test_few_pairs_or_none_give_no_notice() -> None:
    src, tgt = sides(99)
    assert notices_of(src, tgt[::-1]) == notices_of([], []) == []


def test_misaligned_lines_are_noticed() -> None:
    src, tgt = sides()
    [notice] = notices_of(src[:-1], tgt[1:])
    assert "the lengths of the two sides are hardly correlated (" in notice
    assert notice.endswith("; check that line n translates line n")


def test_a_source_copied_to_the_target_is_noticed() -> None:
    src, tgt = sides()
    for i in (7, 9):
        src[i] = "London , 5 May 1999"
        tgt[i] = src[i] + " "
    src[11] = tgt[11] = "New York"  # a name is its own translation
    [notice] = notices_of(src, tgt)
    assert notice == "2 of 400 pairs have the source copied to the target (pairs 8, 10)"


@pytest.mark.parametrize("side", [0, 1])
def test_a_sentence_on_the_wrong_side_is_noticed(side: int) -> None:
    pairs = sides()
    wrong = [i for i in range(0, 400, 40) if len(pairs[0][i].split()) > 5]
    for i in wrong:
        pairs[side][i] = " ".join(reversed(pairs[1 - side][i].split()))  # not only copied
    notices = notices_of(*pairs)
    named = ", ".join(str(i + 1) for i in wrong[:3])
    here, there = ("en", "de") if side == 0 else ("de", "en")
    assert f"{len(wrong)} of 400 {here} lines consist mostly of {there} words (pairs {named} ...)" in notices
    assert all("consist mostly of" in notice for notice in notices)


@pytest.mark.parametrize("side", [0, 1])
def test_another_script_is_noticed(side: int) -> None:
    pairs = sides()
    pairs[side][5] = "это совсем другой язык"
    pairs[side][6] = "これは日本語です"
    pairs[side][7] = "... 1 2 3"  # has no letters
    notices = notices_of(*pairs)
    assert f"2 of 400 {('en', 'de')[side]} lines are not in Latin letters (pairs 6, 7)" in notices


def test_a_side_of_mixed_scripts_gives_no_notice() -> None:
    src, tgt = sides()
    tgt[::4] = [" ".join("слово" for _ in line.split()) for line in tgt[::4]]
    assert notices_of(src, tgt) == []


def test_pairs_checked_of_a_large_text_are_evenly_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seq2seq.text.quality.MAX_PAIRS", 150)
    src, tgt = sides()
    for i in (0, 3, 4, 399):
        src[i] = tgt[i] = "so it is in both"
    [notice] = notices_of(src, tgt)
    assert notice == "3 of 134 pairs have the source copied to the target (pairs 1, 4, 400)"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("", ""),
        ("12 ... !", ""),
        ("été", "LATIN"),
        ("слово a", "CYRILLIC"),
        ("日本語の", "CJK"),
        ("\ue000", ""),
        ("ab слово", "CYRILLIC"),
    ],
)
def test_the_script_of_a_line_is_that_of_most_letters(line: str, name: str) -> None:
    assert script(line) == name


def test_correlation_is_pearsons() -> None:
    assert correlation(["a", "aaa"], ["b", "bbb"]) == pytest.approx(1.0)
    assert correlation(["a", "aaa"], ["bbb", "b"]) == pytest.approx(-1.0)
    assert correlation(["a", "a"], ["b", "bbb"]) is None  # all lines of a side are as long


def test_text_sorted_by_length_is_not_taken_for_shuffled_text() -> None:
    src, tgt = ordered(*sides(10_000))
    assert notices_of(src, tgt) == []
    [notice] = notices_of(src, random.Random(1).sample(tgt, len(tgt)))
    assert re.match(r"the lengths of the two sides are hardly correlated \(-?0\.0\d\)", notice)
    [notice] = notices_of(src[:-5], tgt[5:])
    assert "belongs with line n -5 of de" in notice


def ordered(src: list[str], tgt: list[str]) -> tuple[list[str], list[str]]:
    """Free translations, a few words longer or not, sorted by the length of their source, as some collections are."""
    draw = random.Random(4)
    free = [f"{line}{' ja' * draw.randint(0, 3)}" for line in tgt]
    pairs = sorted(zip(src, free, strict=True), key=lambda pair: len(pair[0]))
    return [s for s, _ in pairs], [t for _, t in pairs]


def test_the_shipped_corpus_gives_no_notice() -> None:
    report = load(DataConfig()).report
    assert shipped().is_dir()
    assert report.notices == []


def test_lines_that_have_slipped_are_noticed_where_that_begins() -> None:
    src, tgt = sides()
    [notice] = notices_of(src[:-1], tgt[:200] + tgt[201:])
    found = re.fullmatch(
        r"from pair (\d+) to 399 line n of en belongs with line n -1 of de; check that line n translates line n", notice
    )
    assert found and abs(int(found[1]) - 201) <= 4


def test_a_slip_after_blank_lines_has_the_numbers_of_the_lines_in_the_files(tmp_path: Path) -> None:
    """One blank line too many on one side, and before it thirty blank pairs, which are dropped and counted."""
    src, tgt = sides()
    blank = [""] * 30
    for language, lines in (("en", [*blank, *src]), ("de", [*blank, *tgt[:200], "", *tgt[200:-1]])):
        (tmp_path / f"train.{language}").write_text("".join(f"{line}\n" for line in lines))
    [notice] = [notice for notice in load(DataConfig(str(tmp_path))).report.notices if "belongs with" in notice]
    found = re.match(r"from pair (\d+) to 430 line n of en belongs with line n \+1 of de; check", notice)
    assert found and abs(int(found[1]) - 232) <= 4


def test_noise_is_no_slip() -> None:
    """A third of the lines of one side are those of other sentences."""
    src, tgt = sides()
    noisy = list(tgt)
    noisy[::3] = random.Random(1).sample(tgt[::3], len(tgt[::3]))
    assert notices_of(src, noisy) == []
    [notice] = notices_of(src, random.Random(1).sample(tgt, len(tgt)))
    assert notice.startswith("the lengths of the two sides are hardly correlated (")


def test_a_second_script_among_japanese_lines_is_noticed() -> None:
    src = sides()[0]
    tgt = [f"{'猫' * len(line.split())}はネコ" for line in src]
    tgt[::10] = ["это русский язык"] * 40
    assert "40 of 400 ja lines are not in Chinese or Japanese letters (pairs 1, 11, 21 ...)" in quality_checks(
        src, tgt, ("en", "ja")
    )
