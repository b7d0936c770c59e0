"""The training text tells which words are known, and where unknown ones with a capital are names."""

import json
from typing import Any

import pytest

from seq2seq.text import name_learning
from seq2seq.text.known_words import KnownWords
from seq2seq.text.name_learning import EVIDENCE, learn_names, with_text
from seq2seq.text.sources import Pair

A, B = ("en", "de"), ("de", "en")


def name(number: int) -> str:
    """Another name for each number."""
    return "Gu" + "".join("aeioukmnst"[int(digit)] for digit in f"{number:03}")


def text(inside: int, first: int, copied: int) -> list[Pair]:
    """Pairs with so many names inside of and first in sentences, of which `copied` each stand in the translation."""
    pairs = [Pair("He saw the old river.", "Er sah den alten Fluss.")] * 2
    for number in range(inside):
        word = name(number)
        pairs.append(Pair(f"He saw {word} there.", f"Er sah {word if number < copied else 'etwas'} dort."))
    for number in range(500, 500 + first):
        word = name(number)
        pairs.append(Pair(f"{word} saw the river.", f"{word if number < 500 + copied else 'Etwas'} sah den Fluss."))
    return pairs


@pytest.mark.parametrize(
    ("inside", "first", "copied", "kept"),
    [
        (EVIDENCE, EVIDENCE, EVIDENCE, (True, True)),
        (EVIDENCE + 1, EVIDENCE + 1, EVIDENCE // 3 + 1, (True, True)),
        (EVIDENCE + 1, EVIDENCE + 1, EVIDENCE // 3, (False, False)),
        (EVIDENCE - 1, EVIDENCE, EVIDENCE, (False, True)),
        (EVIDENCE, EVIDENCE - 1, EVIDENCE, (True, False)),
        (4 * EVIDENCE, EVIDENCE, EVIDENCE, (False, True)),
    ],
)
def test_a_third_of_the_names_that_stand_once_must_stand_on_both_sides(
    inside: int, first: int, copied: int, kept: tuple[bool, bool]
) -> None:
    assert learn_names({A: text(inside, first, copied)}).kept == ({A: kept} if any(kept) else {})


def test_words_that_stand_in_two_lines_are_known() -> None:
    twice = [Pair("Rimul saw it.", "Rimul sah es."), Pair("They saw rimul.", "Sie sahen Rimul.")]
    same = [Pair("Lakur saw it.", "Lakur sah es."), Pair("Lakur saw it.", "Lakur sah das.")]
    known = learn_names({A: [*text(EVIDENCE, 0, EVIDENCE), *twice, *same]})
    words = known.words["en"].split()
    assert {"rimul", "saw", "it", "there"} <= {*words}
    assert words == sorted({*words} - {"lakur", "they", name(0).lower()})
    names = known.names(A)
    assert names is not None
    assert names.places("Rimul saw Lakur") == [(10, 15)]
    assert known.names(B) is None


def test_directions_are_told_apart() -> None:
    there, back = text(EVIDENCE, 0, EVIDENCE), [Pair(tgt, src) for src, tgt in text(0, EVIDENCE, 0)]
    known = learn_names({A: there, B: back, ("en", "fr"): text(EVIDENCE, 0, 0)})
    assert list(known.kept) == [A]
    assert list(known.words) == ["en"]


def test_large_texts_are_looked_at_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_learning, "MOST_LINES", 50)
    monkeypatch.setattr(name_learning, "MOST_PAIRS", 50)
    monkeypatch.setattr(name_learning, "_CHUNK", 7)
    pairs = [Pair(f"He saw {name(n)} there.", f"Er sah {name(n)} dort.") for n in range(500)]
    assert learn_names({A: pairs}).kept == {A: (True, False)}
    assert list(name_learning._spread(range(500), 50)) == list(range(0, 500, 10))
    assert list(name_learning._spread(range(3), 50)) == [0, 1, 2]


def test_words_that_can_be_no_names_take_no_room() -> None:
    twice = [Pair(f"{n} 私はTomを見た。 Œuf, İstanbul, Ẽra, œil and Москва Łódź", "x") for n in (1, 2)]
    known = learn_names({A: [*text(EVIDENCE, 0, EVIDENCE), *twice]})
    words = {*known.words["en"].split()}
    assert {"œuf", "İstanbul".lower(), "ẽra", "œil", "łódź"} <= words
    assert not {word for word in words if word[0] in "私москва"}
    names = known.names(A)
    assert names is not None
    assert names.places(twice[0].src) == []


def test_more_text_makes_more_words_known() -> None:
    known = learn_names({A: text(EVIDENCE, 0, EVIDENCE)})
    more = with_text(known, {A: [Pair("Rimul saw it.", "x"), Pair("By Rimul", "x"), Pair("By Lakur", "x")]})
    assert more.words["en"].split() == sorted([*known.words["en"].split(), "rimul", "by"])
    assert more.kept == known.kept


def test_json_and_back() -> None:
    known = learn_names({A: [*text(EVIDENCE, 0, EVIDENCE), Pair("Ünlü æ", ""), Pair("ünlü é", "")]})
    content = known.to_json()
    assert KnownWords.from_json(content) == known
    assert "ünlü" in content.decode()
    names, again = known.names(A), KnownWords.from_json(content).names(A)
    assert names == again
    assert repr(names) == repr(again)
    assert repr(names) != repr(learn_names({A: text(EVIDENCE, 0, EVIDENCE)}).names(A))


@pytest.mark.parametrize(
    "data", ["", "[]", "{", 3, {}, {"kept": [["en", "de", True, True]], "words": {}}, {"words": 1}]
)
def test_what_is_no_such_file_is_told(data: Any) -> None:
    with pytest.raises(ValueError):
        KnownWords.from_json((data if isinstance(data, str) else json.dumps(data)).encode())
