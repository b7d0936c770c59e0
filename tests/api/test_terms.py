"""A glossary and phrases to avoid, from Python: what they are given as, and what becomes of the translations."""

import codecs
import re
from pathlib import Path
from typing import Any

import pytest

import seq2seq
from seq2seq.api.models import shipped_models
from seq2seq.errors import InputError
from seq2seq.segments.glossary import Term, Terms
from seq2seq.translation.translator import LineTranslator

LINES = ["The dog and the black cat are here.", "A dog!", "I read a book."]


@pytest.fixture(scope="module")
def model() -> seq2seq.Translator:
    return seq2seq.load(shipped_models(trained=True)["en", "de"], device="cpu", threads=1)


def test_the_terms_of_each_line_stand_in_its_translation(model: seq2seq.Translator) -> None:
    plain = model.translate(LINES)
    glossary = {"dog": "Köter", "black cat": "schwarze Mieze", "cat": "Kater", "ship": "Schiff"}
    first, second, third = model.translate(LINES, glossary=glossary)
    assert first.count("Köter") == first.count("schwarze Mieze") == 1
    assert "Kater" not in first
    assert second.count("Köter") == 1
    assert third == plain[2]
    assert model.translate(LINES, glossary={"ship": "Schiff"}) == plain
    assert model.translate(LINES[:1], glossary=glossary, beam=1)[0].count("Köter") == 1
    for translation in model.translate(LINES[0], glossary=glossary, nbest=3):
        assert translation.text.count("Köter") == 1


def test_terms_stand_in_the_translations_of_ensembles_and_with_a_translation_memory(
    model: seq2seq.Translator, tmp_path: Path
) -> None:
    """An ensemble of a model and itself translates as the model does; the memory's translation lacks the term."""
    folder = shipped_models(trained=True)["en", "de"]
    glossary, avoid = {"dog": "Köter", "black cat": "schwarze Mieze"}, ["hier"]
    ensemble = seq2seq.load([folder, folder], device="cpu", threads=1)
    expected = model.translate(LINES, glossary=glossary, avoid=avoid)
    assert ensemble.translate(LINES, glossary=glossary, avoid=avoid) == expected

    (tmp_path / "train.tsv").write_text("en\tde\nThe dog and the black cat are here.\tHund und Katze sind hier.\n")
    memory = {"memory": str(tmp_path / "train.tsv"), "memory_share": 0.9}
    assert model.translate(LINES[0], **memory) == "Hund und Katze sind hier."
    first, *_ = model.translate(LINES, glossary=glossary, avoid=avoid, **memory)
    assert first.count("Köter") == first.count("schwarze Mieze") == 1
    assert "hier" not in first.strip(".").split()


@pytest.mark.parametrize(
    ("text", "glossary", "expected"),
    [
        ("A dog, a dog and a dog.", {"dog": "Köter"}, {"Köter": 3}),
        (
            "A dog and a black dog.",
            {"dog": "Köter", "black dog": "schwarzer Köter"},
            {"Köter": 2, "schwarzer Köter": 1},
        ),
        ("THE DOG SLEEPS.", {"dog": "Köter"}, {"KÖTER": 1}),
        ("The girl is here.", {"girl": "дівчина 丼"}, {"івчина 丼": 1}),
        ("A cat.", {"cat": "x" * 40}, {"x" * 39: 1}),
        ("I like Windows 10 on 10 days.", {"Windows 10": "Fenster Zehn"}, {"Fenster Zehn": 1, "10": 1}),
        ("The <b>black <i>dog</i></b> sleeps.", {"black dog": "Köter"}, {"Köter": 1, "<i>": 1, "</b>": 1}),
        ("Really black dogs are here.", {"really": "total"}, {"otal": 1}),
        ("My cafe\u0301\u00a0au\u00a0lait is here.", {"café au lait": "Milchkaffee"}, {"Milchkaffee": 1}),
    ],
)
def test_a_term_comes_as_often_as_it_stands_there(
    model: seq2seq.Translator, text: str, glossary: dict[str, str], expected: dict[str, int]
) -> None:
    translation = model.translate(text, glossary=glossary)
    assert {phrase: translation.count(phrase) for phrase in expected} == expected


def test_a_term_takes_the_place_of_the_words_that_the_model_has_for_it(model: seq2seq.Translator) -> None:
    """Nothing else changes, and markup around the term stays around it."""
    lines = [
        "The dog sees the cat.",
        "I have a dog and 5 cats.",
        "A dog, a dog and the <b>dog</b>.",
        "The cat sees the dog.",
    ]
    plain = model.translate(lines)
    assert model.translate(lines, glossary={"dog": "Köter"}) == [line.replace("Hund", "Köter") for line in plain]
    assert "<b>Köter</b>" in model.translate(lines[2], glossary={"dog": "Köter"})
    assert "<i>rote Zora</i>" in model.translate("The <i>cat</i> sleeps.", glossary={"cat": "rote Zora"})
    for one, other in zip(
        *(model.translate(lines[0], nbest=3, glossary=g) for g in (None, {"dog": "Köter"})), strict=False
    ):
        assert other.text == one.text.replace("Hund", "Köter") and other.score == one.score > other.log_prob


def test_terms_of_several_directions_are_those_of_each(model: seq2seq.Translator) -> None:
    """What stands before a term is written as the line's own language has it."""
    directions = [("en", "fr"), ("de", "en"), ("en", "de"), ("en", "fr")]
    lines = ["I need water.", "Ich habe einen Hund.", "I need water.", "The man is here."]
    terms = Terms((Term("water", "flotte"), Term("Hund", "owl"), Term("man", "bonhomme")))
    bundle = model.bundle(("en", "de"))._replace(terms=terms)
    translator = LineTranslator(bundle, bundle.search)
    together = [found[0].text for found in translator.stream(lines, print, directions=directions)]
    assert together == [
        "J'ai besoin de flotte.",
        "I have an owl.",
        *translator.translate(lines[2:3]),
        "Le bonhomme est ici.",
    ]
    for line, direction, text in zip(lines, directions, together, strict=True):
        own = model.bundle(direction)._replace(terms=terms)
        assert LineTranslator(own, own.search).translate([line]) == [text]


def test_terms_in_text_in_capitals(model: seq2seq.Translator) -> None:
    """Capitals say nothing of how a word is written otherwise; addresses of a term stay as they are."""
    text = "THE STREET IS LONG, BUT THE DOG IS IN NEW YORK."
    found = model.translate(text, glossary={"Street": "{name} Weg", "dog": "bob@example.com", "New York": "Neu-York"})
    assert all(phrase in found for phrase in ("{name} WEG", "bob@example.com", "NEU-YORK"))
    assert "{Name}" not in model.translate("The Very Long Street In The Old Town", glossary={"street": "{name}"})


def test_an_avoided_phrase_never_comes(model: seq2seq.Translator) -> None:
    assert "Hund" in model.translate(LINES[0])
    for beam in (1, 5):
        translations = model.translate(LINES, avoid=["hund", "Katze", "ich"], beam=beam)
        assert not {"hund", "katze", "ich"} & {word.strip(".,!").lower() for word in " ".join(translations).split()}
        assert all(translations)
    assert model.translate(LINES, avoid=["Schiff", "hun"]) == model.translate(LINES)
    assert "HUND" not in model.translate("THE DOG IS HERE.", avoid=["Hund"]).replace("HUNDE", "")


def test_they_are_given_as_files_or_as_values(model: seq2seq.Translator, tmp_path: Path) -> None:
    one, two, avoid = tmp_path / "one.tsv", tmp_path / "two.tsv", tmp_path / "avoid.txt"
    one.write_text("\ufeffEN-gb\tDE\n# animals\ndog\tHündchen\n", encoding="utf-8")
    two.write_text("dog\tKöter\r\n", encoding="utf-8")
    avoid.write_text("hier\n", encoding="utf-8")
    three, four = tmp_path / "three.tsv", tmp_path / "four.tsv"
    three.write_text("dog\tKöter\r\n", encoding="utf-16")
    four.write_text("English\tDeutsch\ndog\tKöter\n", encoding="utf-8")
    expected = model.translate(LINES, glossary={"dog": "Köter"}, avoid=["hier"])
    assert expected != model.translate(LINES, glossary={"dog": "Köter"})
    ways: list[dict[str, Any]] = [
        {"glossary": two, "avoid": avoid},
        {"glossary": [str(one), two], "avoid": str(avoid)},
        {"glossary": [("dog", "Köter")], "avoid": ("hier",)},
        {"glossary": [one, ("dog", "Köter")], "avoid": ["hier"]},
        {"glossary": three, "avoid": avoid},
        {"glossary": four, "avoid": avoid},
    ]
    for options in ways:
        assert model.translate(LINES, **options) == expected


def test_what_is_wrong_is_refused(model: seq2seq.Translator, tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    for content, message in (
        (b"dog\tHund\ncat\n", "terms.tsv, line 2: it has no tab"),
        (b"dog\tHund\n\xff\tx\n", "terms.tsv, line 2: not UTF-8"),
        (b"de\ten\nHund\tdog\n", "is a glossary from de to en, and not from en to de"),
        (b"DE-at\tEng\nHund\tdog\n", "is a glossary from de to en, and not from en to de"),
        (b"German\tenglish\nHund\tdog\n", "is a glossary from de to en, and not from en to de"),
        ("dog\tHund\ncat".encode("utf-16"), "terms.tsv, line 2: it has no tab"),
        (codecs.BOM_UTF16_LE + b"dog", "terms.tsv: not UTF-16"),
        (b"en\tfr\ndog\tchien\n", "is a glossary from en to fr, and not from en to de"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            model.translate(LINES, glossary=path)
    with pytest.raises(InputError, match=r"cannot read .*none\.tsv"):
        model.translate(LINES, glossary=tmp_path / "none.tsv")
    with pytest.raises(InputError, match="'Köter' is to be avoided, but the glossary has"):
        model.translate(LINES, glossary={"dog": "alter Köter"}, avoid=["Köter"])
    for wrong in (5, [5], [("a", "b", "c")], {"a": 5}, {5: "a"}):
        with pytest.raises(TypeError, match="glossary takes"):
            model.translate(LINES, glossary=wrong)  # type: ignore[call-overload]
    for wrong in (5, [5]):
        with pytest.raises(TypeError, match="avoid takes"):
            model.translate(LINES, avoid=wrong)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("text", "avoided"),
    [
        ("I have 5 dogs and 5 cats.", "5 hunde"),
        ("I have 50,000 dogs.", "000 Hunde"),
        ("I see a dog. The cat is here.", "hund. die"),
        ("I SEE A DOG. THE CAT IS HERE.", "Hund. Die"),
        ("I see a dog. The cat is here.", "Hund. Die Katze"),
    ],
)
def test_an_avoided_phrase_does_not_come_together_of_parts(model: seq2seq.Translator, text: str, avoided: str) -> None:
    """Of two sentences, or of what the model wrote and what is kept."""
    phrase = re.compile(rf"(?<!\w){re.escape(avoided)}(?!\w)", re.IGNORECASE)
    assert phrase.search(model.translate(text))
    for options in ({}, {"nbest": 3}, {"search": {"sample": 0.5}, "beam": 2, "nbest": 2}):
        found = model.translate(text, avoid=[avoided], **options)  # type: ignore[call-overload]
        for translation in [found] if isinstance(found, str) else [each.text for each in found]:
            assert not phrase.search(translation)
            assert all(number in translation for number in re.findall(r"\d+", text))
    assert model.translate([text], avoid=["5", "50.000", "Schiff. Die"]) == model.translate([text])


def test_a_prefix_that_holds_what_is_to_be_avoided_is_refused(model: seq2seq.Translator) -> None:
    bundle = model.bundle(("en", "de"))._replace(terms=Terms(avoided=("hund",)))
    translator = LineTranslator(bundle, bundle.search)
    assert list(translator.stream(["A dog."], print, ["Der Hunde"]))
    with pytest.raises(InputError, match="line 1 has a prefix with 'hund', which is to be avoided"):
        list(translator.stream(["A dog."], print, ["Der Hund"]))


def test_what_is_kept_does_not_divide_a_term(model: seq2seq.Translator) -> None:
    text, glossary = (
        "Use %s dogs, {name} cats and 10.5 old houses.",
        {"dogs": "a b c", "cats": "d e", "old houses": "z. B."},
    )
    translation = model.translate(text, glossary=glossary)
    assert all(phrase in translation for phrase in (*glossary.values(), "%s", "{name}", "10,5"))


def test_terms_of_scripts_without_spaces_and_of_symbols_are_found(model: seq2seq.Translator) -> None:
    glossary = {"東京": "Tokio", "🍕": "Pizza", "42": "zweiundvierzig", "iphone": "iPhone", "What Now? The Movie": "X"}
    lines = ["I like 東京都 very much.", "I love 🍕 very much.", "🍕", "42", "My Friend Is In The Iphone Of The Year"]
    lines.append("He saw What Now? The Movie.")
    found = model.translate(lines, glossary=glossary)
    wanted = ["Tokio都", "Pizza", "Pizza", "zweiundvierzig", "iPhone", "X"]
    assert all(phrase in translation for phrase, translation in zip(wanted, found, strict=True))
    assert found[2:4] == ["Pizza", "zweiundvierzig"]
