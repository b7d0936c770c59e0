"""A glossary's phrases are found as a reader finds them; its files are read, or refused with the number of the line."""

import re

import pytest

from seq2seq.errors import InputError
from seq2seq.segments.glossary import (
    Glossary,
    Term,
    Terms,
    glossary_of,
    merged,
    parse_avoided,
    parse_glossary,
    term_of,
    with_term_values,
)
from seq2seq.segments.keeping import Keeping, keep, restore
from seq2seq.segments.reading import Reading, Sentence, read_kept
from seq2seq.segments.segment import ALONE, VALUE, Mark, Segment


def found(text: str, *phrases: str) -> list[str]:
    """What of the text is found; the translation of a phrase is the phrase in brackets."""
    terms = Terms(tuple(Term(phrase, f"[{phrase}]") for phrase in phrases))
    return [f"{text[begin:end]} {target}" for begin, end, target in terms.places(text)]


@pytest.mark.parametrize(
    ("text", "phrases", "expected"),
    [
        ("A cat, a cat's cats and a category.", ["cat"], ["cat [cat]", "cat [cat]"]),
        ("CAT Cat cat", ["cat"], ["CAT [cat]", "Cat [cat]", "cat [cat]"]),
        ("US us Us", ["US"], ["US [US]"]),
        ("Oh my God, oh my God", ["oh my God"], ["Oh my God [oh my God]", "oh my God [oh my God]"]),
        ("IPhone iPhone", ["iPhone"], ["iPhone [iPhone]"]),
        ("US us Us", ["US", "us"], ["US [US]", "us [us]", "Us [us]"]),
        ("a black cat and a cat", ["cat", "black cat", "black"], ["black cat [black cat]", "cat [cat]"]),
        ("one two three", ["one two", "two three"], ["one two [one two]"]),
        ("C++, .NET and C", ["C++", ".NET", "C"], ["C++ [C++]", ".NET [.NET]", "C [C]"]),
        ("snake_case 3cat cat3", ["case", "cat"], []),
        ("東京都と京都", ["京都"], ["京都 [京都]", "京都 [京都]"]),
        ("日本の本、一本と本", ["本"], ["本 [本]", "本 [本]"]),
        (
            "ペンギンのペン、コンピューターゲーム",
            ["ペン", "ゲーム", "コンピューター"],
            ["ペン [ペン]", "コンピューター [コンピューター]"],
        ),
        ("图书馆的书", ["书"], ["书 [书]", "书 [书]"]),
        ("我的iPhone手机", ["iPhone", "手机"], ["iPhone [iPhone]", "手机 [手机]"]),
        ("नमस्ते नम", ["नम"], ["नम [नम]"]),
        ("cafe\u0301 caf\u00e9", ["caf\u00e9"], ["cafe\u0301 [caf\u00e9]", "caf\u00e9 [caf\u00e9]"]),
        ("New\u00a0York, New  York", ["New York"], ["New\u00a0York [New York]", "New  York [New York]"]),
        ("l\u2019eau l'eau", ["l'eau"], ["l\u2019eau [l'eau]", "l'eau [l'eau]"]),
        (
            "\u1f48\u03b4\u03cc\u03c2 \u039f\u0394\u039f\u03a3",
            ["\u03bf\u03b4\u03bf\u03c2"],
            ["\u039f\u0394\u039f\u03a3 [\u03bf\u03b4\u03bf\u03c2]"],
        ),
    ],
)
def test_phrases_are_found_as_whole_words_the_longest_first(text: str, phrases: list[str], expected: list[str]) -> None:
    assert found(text, *phrases) == expected


def test_in_text_in_capitals_a_phrase_is_found_in_any_case() -> None:
    terms = Terms((Term("Straße", "street"), Term("US", "us"), Term("Masse", "mass"), Term("Maße", "sizes")))
    for any_case, expected in ((False, ["us"]), (True, ["street", "us", "mass"])):
        assert [place.target for place in terms.places("STRASSE US MASSE", any_case)] == expected
    assert [place.target for place in terms.places("Straße us Straßen", any_case=True)] == ["street", "us"]
    avoided = Terms(avoided=("Spaß",))
    assert [len(avoided.avoided_places("SPASS Spass", any_case)) for any_case in (False, True)] == [0, 2]


def with_values(text: str, *terms: tuple[str, str], patterns: tuple[str, ...] = ()) -> str:
    kept = keep(Segment(text), Keeping("en", "de", patterns))
    segment = with_term_values(kept, Terms(tuple(Term(*term) for term in terms)))
    return "".join(f"⟨{restore(Segment.of_parts([p])).text}⟩" if not isinstance(p, str) else p for p in segment.parts())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Use Windows 10 or 10 cats.", "Use ⟨Windows Zehn⟩ or ⟨zehn⟩ cats."),
        ("At 10.5 or 2010 or a 10% cut.", "At ⟨10,5⟩ or ⟨2010⟩ or a ⟨10%⟩ cut."),
        ("<b>Windows <i>10</i></b>", "⟨<b>⟩⟨Windows Zehn⟩⟨<i>⟩⟨</i>⟩⟨</b>⟩"),
        ("A cat at windows.com/cat", "A cat at ⟨windows.com/cat⟩"),
        ("Windows and 7", "Windows and ⟨7⟩"),
    ],
)
def test_a_term_that_holds_what_is_kept_is_kept_as_its_translation(text: str, expected: str) -> None:
    terms = [("Windows 10", "Windows Zehn"), ("10", "zehn"), ("cat", "Katze"), ("windows", "Fenster")]
    assert with_values(text, *terms) == expected
    assert with_values(text) == "".join(
        f"⟨{restore(Segment.of_parts([p])).text}⟩" if not isinstance(p, str) else p
        for p in keep(Segment(text), Keeping("en", "de")).parts()
    )


@pytest.mark.parametrize("kind", [VALUE, ALONE])
def test_no_term_holds_an_object_of_the_document(kind: str) -> None:
    """Such as a picture. A line break or a comment is none, and stays."""
    parts = ["Use Windows ", Mark(0, kind, "<img>"), "10 and ice ", Mark(0, kind, "<x>"), "cream."]
    terms = Terms((Term("Windows 10", "Windows Zehn"), Term("ice cream", "Eis")))
    for everywhere in (False, True):
        segment = with_term_values(keep(Segment.of_parts(parts), Keeping("en", "de")), terms, everywhere)
        assert [mark.code for mark in segment.marks if mark.code in ("<img>", "<x>")] == ["<img>", "<x>"]
        assert ("Windows Zehn" in restore(segment).text) == (kind == ALONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I like 東京都.", "I like ⟨Tokio都⟩."),
        ("大東京都 東京", "⟨大Tokio都⟩ ⟨Tokio⟩"),
        ("東京都東京", "⟨Tokio都⟩⟨Tokio⟩"),
        ("東京府", "⟨Tokio⟩⟨Amt⟩"),
        ("都 東京 都", "⟨都⟩ ⟨Tokio⟩ ⟨都⟩"),
        ("東京10", "⟨Tokio⟩⟨10⟩"),
        ("<b>東京</b>都", "⟨<b>⟩⟨Tokio都⟩⟨</b>⟩"),
    ],
)
def test_letters_beside_a_term_are_kept_with_it(text: str, expected: str) -> None:
    """As two marks the model could put them apart."""
    assert with_values(text, ("東京", "Tokio"), ("府", "Amt"), patterns=("東京", "都", "大", "府")) == expected


def test_a_file_has_two_columns_comments_and_perhaps_its_languages() -> None:
    lines = ["# a comment", "", "en\tde\r", " cat \tKatze", "\t ", "US\tUSA"]
    header = {("en", "de"): ("en", "de")}
    expected = Glossary((Term("cat", "Katze"), Term("US", "USA")), ("en", "de"))
    assert parse_glossary(lines, "x", lambda *columns: header.get(columns)) == expected
    assert parse_glossary(["en\tde"], "x").terms == (Term("en", "de"),)
    assert parse_glossary(["cat\tKatze", "cat\tKatze"], "x").terms == (Term("cat", "Katze"),)
    assert parse_avoided(["# no", "cat", " ", "l\u2019eau"], "x") == ("cat", "l'eau")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["cat Katze"], "line 1: it has no tab"),
        (["a\tb", "cat\tKatze\tf"], "line 2: it has 2 tabs"),
        (["a\tb", "", "\tKatze"], "line 3: the source phrase is empty"),
        (["cat\t"], "line 1: the target phrase is empty"),
        (["cat\t\u00ad"], "line 1: the target phrase is empty"),
        (["cat\tKatze", "dog\tHund", "cat\tMieze"], "line 3: 'cat' has another translation in line 1"),
        (["caf\u00e9\tA", "cafe\u0301\tB"], "line 2: 'caf\u00e9' has another translation in line 1"),
        (["cat\t\u2581"], "line 1: the target phrase holds the character U+2581"),
        (["cat\ta\ue010"], "line 1: the target phrase holds the character U+E010"),
        (["a\tb", "a" * 201 + "\tb"], "line 2: the source phrase 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.. has more than 200"),
    ],
)
def test_a_wrong_line_is_named(lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"^terms.tsv, {re.escape(message)}"):
        parse_glossary(lines, "terms.tsv")


@pytest.mark.parametrize("other", ["cafe\u0301", " caf\u00e9 ", "caf\u00e9"])
def test_pairs_have_one_translation_of_a_phrase(other: str) -> None:
    assert glossary_of([("caf\u00e9", "A"), (other, "A")]).terms == (Term("caf\u00e9", "A"),)
    with pytest.raises(InputError, match="the glossary has 'A' and 'B' for 'caf\u00e9'; leave one of them out"):
        glossary_of([("caf\u00e9", "A"), (other, "B")])


def test_of_several_glossaries_the_last_counts() -> None:
    first, second = parse_glossary(["cat\tKatze", "dog\tHund"], "1"), parse_glossary(["cat\tMieze"], "2")
    assert dict(merged([first, second])) == {"cat": "Mieze", "dog": "Hund"}


@pytest.mark.parametrize("phrase", ["alte Katze", "katze", "Katze"])
def test_a_glossary_cannot_want_what_is_to_be_avoided(phrase: str) -> None:
    with pytest.raises(InputError, match="is to be avoided, but the glossary has 'eine alte Katze' for 'old cat'"):
        Terms((term_of("old cat", "eine alte Katze"),), (phrase,))
    Terms((term_of("old cat", "eine alte Katze"),), ("KATZE", "Katzen"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He saw What Now? The Movie. Then he left.", ["He saw What Now? The Movie.", "Then he left."]),
        ("What? Now? The <b>End</b>. It is late.", ["What?", "Now?", "The End.", "It is late."]),
        ("Go now! 🍕 42. So I go. 42", ["Go now!", "[VALUE]", "[VALUE]", "So I go.", "[VALUE]"]),
    ],
)
def test_no_sentence_ends_inside_of_a_term_and_one_stands_where_no_sentence_is(text: str, expected: list[str]) -> None:
    terms = Terms((Term("What Now? The Movie", "Was nun"), Term("🍕", "Pizza"), Term("42", "zweiundvierzig")))
    how = Reading("en", Keeping("en", "de", lenient=True))
    parts = read_kept(with_term_values(keep(Segment(text), how.keeping), terms), how, terms)
    values = [part for part in parts if isinstance(part, Mark) and part.code in ("Pizza", "zweiundvierzig")]
    found = [
        "[VALUE]" if part in values else part.text for part in parts if isinstance(part, Sentence) or part in values
    ]
    assert found == expected
    assert all(text[part.origins[0]] == part.text[0] for part in parts[:1] if isinstance(part, Sentence))
