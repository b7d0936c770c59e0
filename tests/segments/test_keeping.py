"""What is not language: found, whatever stands around it, and put back as it was."""

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seq2seq.errors import InputError
from seq2seq.segments.keeping import Keeping, Kept, keep, kept_codes, lost, restore
from seq2seq.segments.patterns import EMPHASIS, LINK, MAYBE, any_pattern, found_in
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment

CASES = Path(__file__).parents[3] / "shared" / "cases" / "keep.jsonl"
ENGLISH = Keeping("en", "de")

VALUES = {
    "printf": ["%s", "%d", "%1$s", "%(count)d", "%.2f", "%5.1f", "%-10s", "%@", "%lu", "%%", "%zu", "%03d"],
    "braces": ["{name}", "{0}", "{}", "{0:.2f}", "{{ user.name }}", "{{{raw}}}", "${HOME}", "#{count}", "%{count}"],
    "templates": ["{% if x %}", "<%= name %>", "$(pwd)", "{count, plural, one {# file} other {# files}}"],
    "templates, too": ['{% trans "A {x} of %s" with x="}"|lower %}', "{# it isn't shown #}"],
    "messages in messages": ["{who, select, her {{n, plural, =0 {none of {name}} other {# of {name}}}} other {all}}"],
    "variables": ["$HOME", "$COUNT$", "$name$", "%1", "%L2", "%n", "%PATH%"],
    "addresses": [
        "https://example.com/a?b=c#d",
        "http://localhost:8000",
        "ftp://a.b/c",
        "www.example.org",
        "example.com",
        "bob@example.com",
        "first.last+tag@mail.example.co.uk",
        "192.168.0.1",
        "192.168.0.0/16",
        "2001:db8:0:0:0:0:0:1",
    ],
    "paths": [
        r"%APPDATA%\Tom\file.txt",
        "C:/Users/Tom/x.txt",
        "/etc/hosts",
        "~/notes.txt",
        "./run.sh",
        "../a/b",
        r"C:\Windows\x.txt",
        "main.py",
        "*.txt",
        "/usr/lib/",
    ],
    "code": [
        "`pip install x`",
        "``a`b``",
        "foo()",
        "os.path.join()",
        "std::vector",
        "snake_case",
        "MAX_SIZE",
        "iPhone",
    ],
    "options": ["--verbose", "-x", "--out=DIR"],
    "addresses, too": ["<tom@a.com>", "git@github.com:tom/repo.git", "irc.libera.chat", "2001:db8::ff00:8329"],
    "hashes": ["550E8400-E29B-41D4-A716-446655440000", "sha256:e3b0c44298fc", "DE89 3704 0044 0532 0130 00", "C++"],
    "versions": ["v1.2.3", "1.2.3", "2.0.0-rc1", "v2"],
    "identifiers": ["MP3", "x86_64", "ABC-123", "utf8", "H2O", "3D", "d41d8cd98f00b204"],
    "keys": ["Ctrl+C", "Alt + F4", "F5"],
    "people": ["@alice", "@bob_2", "#python", "#42"],
    "entities": ["&amp;", "&#39;", "&#x2014;", "&nbsp;"],
    "numbers": [
        "12",
        "2024",
        "12 m",
        "5 km/h",
        "50%",
        "50 %",
        "$5",
        "5 €",
        "20 °C",
        "10:30",
        "1990-1995",
        "3/4",
        "-5",
        "3½",
    ],
    "exponents": ["1e10", "6.02e23", "1.5E-3", "2E+5"],
    "dates": ["2024-05-17", "2024-05-17T10:30:00Z", "17/05/2024", "17.05.2024"],
    "phones": ["0123-456789", "+49 30 1234567", "0123 456 789", "(030) 123456"],
}
ALONES = [
    "©",
    "™",
    "½",
    ":smile:",
    r"\"",
    "😀",
    "👨‍👩‍👧",
    "👍🏽",
    "🇩🇪",
    "1️⃣",
    "❤️",
    ":-)",
    ";)",
    "<3",
    "<br>",
    "<br/>",
    "<!-- x -->",
    r"\n",
    r"\u00e4",
]
FRAMES = [
    "I saw {} there.",
    "{} is here.",
    "Look at {}.",
    "Is it {}?",
    "A ({}) b",
    "I said {}, then left.",
    "“{}”",
    "{}",
]


def kept(text: str, keeping: Keeping = ENGLISH) -> list[tuple[str, str]]:
    return [(mark.kind, mark.code.source) for mark in keep(Segment(text), keeping).marks]


@pytest.mark.parametrize("thing", [thing for things in VALUES.values() for thing in things])
def test_values_are_found_whole(thing: str) -> None:
    for frame in FRAMES:
        assert kept(frame.replace("{}", thing)) == [(VALUE, thing)], frame


@pytest.mark.parametrize("thing", ALONES)
def test_what_stands_between_words_is_found_whole(thing: str) -> None:
    for frame in ("I saw {} there.", "Look at {}", "{} is here."):
        assert kept(frame.replace("{}", thing)) == [(ALONE, thing)], frame


@pytest.mark.parametrize(
    "text",
    [
        "Hello, how are you?",
        "It's 'well-known' – isn't it? (Yes!)",
        "and/or, either/or; km/h",
        "a < b and c > d",
        "Tom & Mary",
        "50 percent of all",
        "He said: “No.” — Why?",
        "e.g. this, i.e. that, U.S.",
        "O'Neill, McDonald, van der Berg",
        "I am fine.Thanks",
        "one - two",
        "Wo ist Herr Müller? Im 20. Stock",
        "Ich gehe z. B. um",
    ],
)
def test_words_are_not_kept(text: str) -> None:
    assert [code for _, code in kept(text) if not code.isdigit()] == []


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Click <b>here</b>.", [(OPEN, "<b>"), (CLOSE, "</b>")]),
        ('<a href="x y">a</a>', [(OPEN, '<a href="x y">'), (CLOSE, "</a>")]),
        ("<i>a <B>b</b></i>", [(OPEN, "<i>"), (OPEN, "<B>"), (CLOSE, "</b>"), (CLOSE, "</i>")]),
        ("<b>a", [(ALONE, "<b>")]),
        ("a</b>", [(ALONE, "</b>")]),
        ("<b><i>a</b></i>", [(OPEN, "<b>"), (ALONE, "<i>"), (CLOSE, "</b>"), (ALONE, "</i>")]),
        ("<0>a</0> [b]c[/b]", [(OPEN, "<0>"), (CLOSE, "</0>"), (OPEN, "[b]"), (CLOSE, "[/b]")]),
        ("**a b** and *c*", [(OPEN, "**"), (CLOSE, "**"), (OPEN, "*"), (CLOSE, "*")]),
        ("**a *b* c**", [(OPEN, "**"), (OPEN, "*"), (CLOSE, "*"), (CLOSE, "**")]),
        ("**run `x**`**", [(OPEN, "**"), (VALUE, "`x**`"), (CLOSE, "**")]),
        ("2 * 3 * 4", [(VALUE, "2"), (VALUE, "3"), (VALUE, "4")]),
        ("- a - b", [(ALONE, "- ")]),
        ("1. Go home.", [(ALONE, "1. ")]),
        (" 12. a", [(ALONE, "12. ")]),
        ("1. Mai", [(VALUE, "1")]),
        ("a) b", [(ALONE, "a) ")]),
        ("(1) b [1]", [(ALONE, "(1) "), (ALONE, "[1]")]),
        ("IV. b", [(ALONE, "IV. ")]),
        (r"a\n\nb", [(ALONE, r"\n"), (ALONE, r"\n")]),
        (
            "see [a b](c/d.html) and ![e](f.png)",
            [(OPEN, "["), (CLOSE, "](c/d.html)"), (OPEN, "!["), (CLOSE, "](f.png)")],
        ),
        ('<a title="b > c">d</a>', [(OPEN, '<a title="b > c">'), (CLOSE, "</a>")]),
        ("__a b__ and ~~c~~", [(OPEN, "__"), (CLOSE, "__"), (OPEN, "~~"), (CLOSE, "~~")]),
        ("%1%2 a", [(VALUE, "%1"), (VALUE, "%2")]),
        ("## a", [(ALONE, "## ")]),
        ("> - [x] a", [(ALONE, "> - [x] ")]),
        ("  * a", [(ALONE, "* ")]),
    ],
)
def test_markup(text: str, marks: list[tuple[str, str]]) -> None:
    assert kept(text) == marks


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("URLはhttps://example.com/です。", ["https://example.com/"]),
        ("見て。https://example.com/a?b=c。彼は来る。", ["https://example.com/a?b=c"]),
        ("「http://a.example/b」を見て", ["http://a.example/b"]),
        ("メールはfoo@example.comまで。", ["foo@example.com"]),
        ("@tanakaさんが来た", ["@tanaka"]),
        ("詳しくはwww.example.comを見て", ["www.example.com"]),
        ("ファイルはreport.pdfです", ["report.pdf"]),
        ("彼は2024-05-17に来た", ["2024-05-17"]),
        ("100km走った、60kgです", ["100km", "60kg"]),
        ("変数はfoo_barとiPhoneだ", ["foo_bar", "iPhone"]),
        ("{名前}さん、%sを<b>見て</b>", ["{名前}", "%s", "<b>", "</b>"]),
        ("#東京は大きい。東京/USAと日本-eu", []),
    ],
)
def test_what_is_kept_ends_where_a_script_without_spaces_goes_on(text: str, things: list[str]) -> None:
    for language in ("ja", "ja-JP", "zh_Hant"):
        assert [code for _, code in kept(text, Keeping(language, "de"))] == things


def test_an_address_may_hold_any_script_where_words_have_spaces() -> None:
    thing = "https://ja.example.org/日本"
    assert kept(f"Look at {thing} now.") == [(VALUE, thing)]


def test_numbers_in_prose_are_written_anew() -> None:
    def written(text: str, keeping: Keeping = ENGLISH) -> str:
        return restore(keep(Segment(text), keeping)).text

    assert written("It costs $3.50, or 1,234.5 yen; 2,000 %.") == "It costs $3,50, or 1.234,5 yen; 2.000 %."
    assert (
        written("I use Python 3.11 of 2024-05-17, v1.2, 10:30, 1.2.3")
        == "I use Python 3.11 of 2024-05-17, v1.2, 10:30, 1.2.3"
    )
    for versions in ("The versions 1.2.3, 1.2.4", "The versions 1.2.3 and 2.0", "section 2.5 or 2.6, and Chapter 3.1"):
        assert written(versions) == versions
    assert written("Use 1.2.3 and 2.5 km, or 3.5.") == "Use 1.2.3 and 2,5 km, or 3,5."
    assert written("Abschnitt 2.5 und 2,5 Liter", Keeping("de", "en")) == "Abschnitt 2.5 und 2.5 Liter"
    assert written("3,50 und 1.000", Keeping("de", "en")) == "3.50 und 1,000"
    assert written("3.50", Keeping("en", "xx")) == "3.50"
    assert written("1.000.000 Euro", Keeping("de", "en")) == "1,000,000 Euro"
    assert written("1 000 000 euros, 12 500,5 km", Keeping("fr", "en")) == "1,000,000 euros, 12,500.5 km"
    assert written("In 2020 300 of 1 0000", Keeping("fr", "en")) == "In 2020 300 of 1 0000"


@pytest.mark.parametrize(
    ("digits", "src"), [("０１２３４５６７８９", "ja"), ("٠١٢٣٤٥٦٧٨٩", "ar"), ("०१२३४५६७८९", "hi")]
)
def test_digits_of_another_script_are_written_plain(digits: str, src: str) -> None:
    text = "No 12, 3.5, 2024-05-17, +49 30 123456."
    wide = text.translate({ord("0") + i: digit for i, digit in enumerate(digits)})
    assert restore(keep(Segment(wide), Keeping(src, "en"))).text == text
    assert restore(keep(Segment(wide), Keeping("ja", "zh"))).text == wide
    assert restore(keep(Segment(wide), Keeping())).text == wide


def test_patterns_of_the_user_come_first() -> None:
    keeping = Keeping("en", "de", ("Acme( Corp)?", r"[A-Z]{2}-\w+"))
    assert kept("Acme Corp has XY-a12 and 3.", keeping) == [(VALUE, "Acme Corp"), (VALUE, "XY-a12"), (VALUE, "3")]
    assert kept("%s 12", Keeping(nothing=True)) == []
    groups = Keeping("en", "de", (r"(A)b \1", "(?P<x>Corp)", "(?i)(?P<x>london)"))
    assert kept("Ab A Corp London", groups) == [(VALUE, "Ab A"), (VALUE, "Corp"), (VALUE, "London")]
    for pattern, message in (("(", "is not a regular expression"), ("x*", "matches the empty text")):
        with pytest.raises(InputError, match=message):
            Keeping(patterns=(pattern,))


def test_marks_of_a_document_stay_and_no_pair_crosses_them() -> None:
    segment = Segment("a <b>b c</b> 12", (Mark(2, OPEN, 7), Mark(7, CLOSE, 7)))
    assert [(m.kind, str(m.code)) for m in keep(segment, ENGLISH).marks] == [
        (OPEN, "7"),
        (ALONE, "<b>"),
        (CLOSE, "7"),
        (ALONE, "</b>"),
        (VALUE, "12"),
    ]
    assert restore(keep(segment, ENGLISH)) == segment


@pytest.mark.parametrize(
    "parts",
    [
        ["{n, plural, one {", Mark(0, OPEN, "<b>"), "one", Mark(0, CLOSE, "</b>"), "} other {all}}"],
        ["{n, plural, one {one} other {", Mark(0, VALUE, "<x/>"), " files}}"],
        ['{% trans "An ', Mark(0, OPEN, "<em>"), "error", Mark(0, CLOSE, "</em>"), '" %}'],
    ],
)
def test_code_that_holds_marks_of_a_document_is_kept_whole(parts: list[str | Mark]) -> None:
    """Divided at its marks, it would be words and braces: `plural` and `other` would be translated."""
    segment = Segment.of_parts(["Look: ", *parts, " there"])
    found = keep(segment, ENGLISH)
    assert (found.text, [mark.kind for mark in found.marks]) == ("Look:  there", [VALUE])
    assert restore(found) == segment


FRAGMENTS = [
    *(thing for things in VALUES.values() for thing in things),
    *["a", "I", "Tom", "don't", "it’s", "Übung.", "XD", "xD", "Ctrl", "Alt", "+", "C", "C++", "C#", "8)", ":-)", "km"],
    *["5", "3.50", "iPhone", "HTTP", "e.g.", *"_-'’\"()@#$%/\\.,!?"],
    *(" " * n for n in (1, 1, 1, 2)),
    "\n",
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12), st.booleans())
def test_passing_over_plain_words_misses_nothing(fragments: list[str], spaced: bool) -> None:
    text = (" " if spaced else "").join(fragments)
    everything = any_pattern().finditer(text)
    assert [m.span() for m in found_in(text, 0, len(text))] == [m.span() for m in everything]
    names = [
        next(n for n, x in m.groupdict().items() if x is not None and n != "ticks")
        for m in any_pattern().finditer(text)
    ]
    assert [m.lastgroup for m in found_in(text, 0, len(text))] == names


@given(
    st.text(alphabet=st.sampled_from("ab <>/&;{}%$#@`*_-~.,:0123\\\t\n\ue010😀\u200d'\"(),"), max_size=40) | st.text()
)
@settings(max_examples=500, deadline=None)
@example("\u1810")  # a Mongolian digit
@example("\u0665\u0660 km")  # Arabic ones
def test_what_was_kept_is_put_back(text: str) -> None:
    segment = keep(Segment(text), Keeping("en", "en"))
    for before, after in zip(text, restore(segment).text, strict=True):
        assert after in (before, str(unicodedata.decimal(before, before))), (
            "nothing changes but digits of other scripts"
        )
    assert segment.balanced()
    assert all(isinstance(mark.code, Kept) for mark in segment.marks)


def test_what_a_translation_has_lost() -> None:
    assert lost(kept_codes("%s and %s, 3.5", ENGLISH), "%s und 3,5") == ["%s"]
    assert lost(kept_codes("a b", ENGLISH), "c") == []
    assert lost(kept_codes("Call 110 or 112.", ENGLISH), "Ruf 1100 oder 112.") == ["110"]
    assert lost(kept_codes("12 cats", ENGLISH), "12 Katzen, 12 Hunde") == ["12"]


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")
def test_the_shared_cases_are_kept() -> None:
    for line in CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        codes = "\n".join(code for _, code in kept(case["source"]))
        assert case["kind"] in ("space", "alone") or all(held.strip() in codes for held in case["holds"]), case


@pytest.mark.parametrize(
    "unit", ["a", ".a", "a.", "0.", "0 ", "*a", "_a", "[a](", "a@", "{a,plural,", "http://", "<", "-", "1, ", "1月"]
)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    begin = time.process_time()
    keep(Segment(unit * 10_000), ENGLISH)
    assert time.process_time() - begin < 5


def test_a_version_is_looked_for_once() -> None:
    begin = time.process_time()
    keep(Segment(f"v1{'a' * 60}é"), ENGLISH)
    assert time.process_time() - begin < 1


ORDINARY = "aZé猫カ  ..,,!?'\"’“”‘‚„«»‹›–—…¿¡。、！？，：；・「」『』（）〜-\u00a0\u202f"


@settings(max_examples=500)
@given(st.one_of(st.text(alphabet=ORDINARY, max_size=14), st.text(max_size=8)))
def test_where_nothing_may_be_kept_no_pattern_finds_anything(text: str) -> None:
    if not MAYBE.search(text):
        assert not any(pattern.search(text) for pattern in (any_pattern(), EMPHASIS, LINK))


@pytest.mark.parametrize("text", ["彼は「はい」と言った。本当？", "¿Qué es eso? «Nada», dijo…"])
def test_the_punctuation_of_other_languages_is_ordinary(text: str) -> None:
    assert not MAYBE.search(text)
