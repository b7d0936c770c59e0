"""Faults that are mixed into good pairs are found, and good pairs are left alone."""

import random
import sys
from itertools import product

import pytest
from faulty import KINDS, with_fault

from seq2seq.languages.identification import as_written, is_foreign, is_in_script, margin, relatives, scripts_of
from seq2seq.languages.misreading import has_lost_letters, is_misread
from seq2seq.text.corpus import DataConfig, load_train
from seq2seq.text.sources import Pair
from seq2seq.text.suspects import disagree, language_notices, suspects, suspects_notice

FRENCH = [
    "Le petit chat dort toujours sur le vieux fauteuil du salon.",
    "Nous avons décidé de partir en vacances au bord de la mer.",
    "Je ne savais pas que vous habitiez dans cette grande maison.",
    "Les enfants jouaient dans le jardin quand il a commencé à pleuvoir.",
    "Elle m'a demandé si je voulais venir au cinéma avec elle ce soir.",
]


@pytest.fixture(scope="module")
def good() -> list[Pair]:
    """Pairs of the corpus that ships, of lines with 40 characters and more."""
    return [pair for pair in load_train(DataConfig())[:6000] if min(map(len, pair)) >= 40]


def reasons(pairs: list[tuple[str, str]]) -> list[str]:
    return suspects([src for src, _ in pairs], [tgt for _, tgt in pairs], ("en", "de"))


def test_few_good_pairs_are_accused(good: list[Pair]) -> None:
    assert len(good) > 500
    assert sum(map(bool, reasons(list(good)))) <= 0.01 * len(good)


@pytest.mark.parametrize("sample", [20_000, 150])
def test_of_each_fault_at_least_nine_in_ten_are_found_among_the_others(
    good: list[Pair], sample: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a large text, where the identifier is asked of a sample first."""
    monkeypatch.setattr("seq2seq.text.suspects._SAMPLE", sample)
    draw = random.Random(11)
    kinds = [KINDS[i % 10] if i % 10 < len(KINDS) else "" for i in range(len(good))]
    mixed = [
        with_fault(kind, pair, draw.choice(good), draw.choice(FRENCH), draw) if kind else tuple(pair)
        for kind, pair in zip(kinds, good, strict=True)
    ]
    found = reasons(mixed)
    for kind in KINDS:
        rows = [bool(reason) for reason, other in zip(found, kinds, strict=True) if other == kind]
        assert sum(rows) >= 0.9 * len(rows), kind
    accused = [bool(reason) for reason, kind in zip(found, kinds, strict=True) if not kind]
    assert sum(accused) <= 0.01 * len(accused)


@pytest.mark.parametrize("kind", ["encoding", "markup", "third language", "numbers", "lengths"])
def test_a_text_with_many_faults_of_a_kind_has_a_notice(good: list[Pair], kind: str) -> None:
    """As `train` prints it. Without these faults there is none, nor of a few."""
    draw = random.Random(5)

    def notices(every: int) -> list[str]:
        mixed = [
            pair if i % every else with_fault(kind, pair, draw.choice(good), draw.choice(FRENCH), draw)
            for i, pair in enumerate(good[:400])
        ]
        return suspects_notice([src for src, _ in mixed], [tgt for _, tgt in mixed], ("en", "de"))

    [notice] = notices(10)
    assert notice.startswith(("about 10%", "about 11%")) and "of 400 looked at" in notice
    assert notices(200) == notices(500) == []


@pytest.mark.parametrize(
    ("line", "misread"),
    [
        ("Ã¼ber", True),
        ("â€œquotedâ€\x9d", True),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", True),
        ("lost \ufffd here", True),
        ("h\0a\0", True),
        ("über Äpfel, “quoted” – naïve…", False),
        ("Il dit à\xa0«\xa0non\xa0» — Ñandú, ÎLE", False),
        ("日本語", False),
        *[
            (line, False)
            for line in (
                "„CAFÉ“",
                "OLÉ…",
                "NESCAFÉ™",
                "DÉCONSEILLÉ\xa0:",
                "MARGÓ”",
                "café…”",
                "Čo robíš“",
                "AMANHÃ”",
                "NIVÅ”",
                "É… não sei",
                "Рік, К’ят, 5 МіБ",
                "%sЗібрано",
                "ДІТІ І СІРІ",
            )
        ],
        *[(line, True) for line in ("Ã\xa0 Paris", "Å›wiat", "100Â°C", "È™i", "Viá»‡t", "ðŸ˜€", "uÌˆber")],
    ],
)
@pytest.mark.parametrize("languages", [("en", "de"), ("uk", "hu")])
def test_a_wrong_encoding(line: str, misread: bool, languages: tuple[str, str]) -> None:
    """Capitals and marks that could be the bytes of a letter by chance are none."""
    assert is_misread(line, languages) is misread


@pytest.mark.parametrize("page", ["cp1252", "cp1250", "cp1251", "cp437", "cp850", "mac_roman"])
@pytest.mark.parametrize(
    "line",
    [
        "Die Tür ist größer.",
        "Über Äpfel läuft er nicht.",
        "C’était déjà l’été.",
        "Это письмо.",
        "Είναι εδώ.",
        "Đường phố Việt",
        "彼女は毎日学校に行きます。",
    ],
)
def test_utf8_that_was_read_as_a_code_page(page: str, line: str) -> None:
    assert not is_misread(line, ("en", "ru"))
    assert is_misread(line.encode().decode(page, "ignore"), ("en", "ru"))


@pytest.mark.parametrize(
    ("line", "other", "lost"),
    [
        ("Die T?r ist zu.", "The door is shut.", True),
        ("Ist er da?", "Is he there?", False),
        ("Was?Nein!", "What?No!", False),
        ("siehe https://a.org/x?id=3 dort", "see it", False),
        ("das Muster colou?r", "the pattern colou?r", False),
        ("これか?それか", "this or that", False),
    ],
)
def test_letters_that_became_question_marks(line: str, other: str, lost: bool) -> None:
    assert has_lost_letters(line, other) is lost
    assert (suspects([other], [line], ("en", "ja")) == ["wrong encoding"]) is lost


@pytest.mark.parametrize(
    ("src", "tgt", "wrong"),
    [
        ("at 3 pm, 5 May 1999", "um 15 Uhr am 5. Mai 1999", False),
        ("1,234.50", "1.234,50", False),
        ("3 cats", "drei Katzen", False),
        ("200 people", "zweihundert Menschen", False),
        ("The population is 3.5 million.", "Die Einwohnerzahl beträgt 3.500.000.", False),
        ("5 thousand of 12", "5000 von 12", False),
        ("over 2 billion transactions", "20億トランザクション以上", False),
        ("Two hundred and fifty people came.", "250 Leute kamen.", False),
        ("the year two thousand and one", "das Jahr 2001", False),
        ("deux cent cinquante et un chevaux", "251 horses", False),
        ("二百五十一人", "251 people", False),
        ("In '89 the wall fell.", "1989 fiel die Mauer.", False),
        ("unit length (0x%s) in section %s", "%2$s の長さ (0x%1$s)", False),
        ("file %.250s is bad", "%.255s はだめ", False),
        ("5 of 12 thousand", "5000 von 13", True),
        ("5 people", "50 Leute", True),
        ("in '88", "in 1989", True),
        ("It ended in 1945.", "Da ging es zu Ende.", True),
        ("in 1999", "in 1998", True),
        ("in 1999", "damals", True),
        ("5 of 17", "5 von 18", True),
    ],
)
def test_numbers_that_disagree(src: str, tgt: str, wrong: bool) -> None:
    assert disagree(src, tgt) is disagree(tgt, src) is wrong


def test_markup_that_is_usual_is_not_suspicious() -> None:
    usual = [(f"<b>Press</b> the key {i}", f"<b>Taste</b> {i} drücken") for i in range(40)]
    assert not any(reasons([*usual, ("plain text", "einfacher Text")]))
    assert reasons([*usual, ("<i>plain</i> text", "einfacher Text")])[-1] == "markup"
    assert reasons([("<i>plain</i> text", "<i>einfacher</i> Text"), *[("a cat", "eine Katze")] * 9])[0] == "markup"


@pytest.mark.parametrize(
    ("language", "tgt", "src"),
    [
        (
            "ja",
            "“%(value)s” は True 、 False または None の値でなければなりません。",
            "“%(value)s” must be True, False or None.",
        ),
        ("ja", "%(num)dヶ月", "%(num)d months"),
        ("ja", "IPv4またはIPv6", "IPv4 or IPv6"),
        ("ja", "CAPTCHA", "Captcha"),
        ("zh", "JSON字段", "A field"),
        ("zh", "评论者 Email", "Comment author"),
        ("ko", "boolean(True 또는 False)", "Boolean (Either True or False)"),
        ("ru", "Файл GIMP", "GIMP image"),
        ("de", "Boolescher Wert (True, False oder None)", "Boolean (either True, False or None)"),
        ("de", "(Verstecktes Feld %(name)s) %(error)s", "(Hidden field %(name)s) %(error)s"),
    ],
)
def test_placeholders_and_words_that_both_sides_have_tell_no_language(language: str, tgt: str, src: str) -> None:
    assert suspects([src], [tgt], ("en", language)) == suspects([tgt], [src], (language, "en")) == [""]


@pytest.mark.parametrize(
    "line", ["Это письмо от Tom", "Voici le Tom de %s", "Tom, это %(name)s", "the Tom of 東京 is %s"]
)
def test_another_script_beside_such_words_is_found(line: str) -> None:
    assert suspects(["This is Tom %s %(name)s"], [line], ("en", "ja")) == ["not ja"]


def test_a_language_of_two_scripts_is_in_that_of_most_lines() -> None:
    latin = ["Danas je lepo vreme i idemo u šetnju pored reke.", "Ovo je moja kuća.", "Đak čita knjigu u školi."]
    cyrillic = ["Данас је лепо време и идемо у шетњу поред реке.", "Ово је моја кућа.", "Ђак чита књигу у школи."]
    english = ["Today the weather is fine and we go for a walk.", "This is my house.", "The pupil reads a book."]
    for lines, other, written in ((latin, cyrillic, "sr-Latn"), (cyrillic, latin, "sr")):
        assert as_written(lines, "sr") == written
        assert suspects(english, lines, ("en", "sr")) == ["", "", ""]
        assert suspects([*english, "It is late."], [*lines, other[1]], ("en", "sr")) == ["", "", "", "not sr"]
    assert as_written(latin, "sr-Cyrl") == "sr-Cyrl"
    assert as_written(latin, "de") == "de"
    assert as_written([], "sr") == "sr"
    assert suspects(["This is a house."] * 3, ["यह एक घर है।"] * 2 + ["This is it."], ("en", "hi"))[2] == "not hi"


def test_the_script_of_a_language() -> None:
    assert scripts_of("sr-Latn")[0] == "LATIN" and scripts_of("ru") == ("CYRILLIC",) and scripts_of("xx") == ()
    assert is_in_script("日本語とカナ", "ja") and not is_in_script("это русский", "ja")
    assert is_in_script("это", "xx") and is_in_script("123", "de") and not is_in_script("Ende это русский", "de")


@pytest.mark.parametrize(
    ("text", "language", "others", "foreign"),
    [
        ("你好", "en", ["de", "ja"], True),
        ("你好", "en", ["de"], False),  # that of no language that is asked about
        ("東京", "ja", ["en"], False),
        ("東京 Tower", "en", ["ja"], False),
        ("café", "ja", ["fr"], False),  # Latin is foreign to none
        ("это", "sr", ["ru"], False),
        ("это", "sr-Latn", ["ru"], True),
        ("это", "xx", ["ru"], False),  # an unknown language may be written so
        ("123…", "en", ["ja"], False),
    ],
)
def test_text_of_another_languages_script_is_foreign(
    text: str, language: str, others: list[str], foreign: bool
) -> None:
    assert is_foreign(text, language, others) == foreign


def test_without_an_identifier_no_language_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert margin(FRENCH[0], {"de"}) > 3 > margin(FRENCH[0], {"de", "fr"})
    assert margin(FRENCH[0], {"tlh"}) == 0
    assert relatives([], "fr-CA") == ({"fr"}, "") and relatives([], "tlh") == relatives([], "sr-Latn") == (set(), "")
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    assert margin(FRENCH[0], {"de"}) == 0
    assert relatives([], "fr") == (set(), "")


SERBIAN = (
    ["Danas smo dugo čekali autobus", "Moja sestra čita novu knjigu", "Sutra ćemo videti stare prijatelje"],
    ["pored reke u našem gradu.", "jer je napolju lepo vreme.", "u velikoj kući svojih roditelja.", "posle večere."],
)
MALAY = (
    ["Saya membaca buku baru", "Mereka menunggu bas yang lambat", "Kakak saya memasak nasi", "Kami akan melawat kawan"],
    ["di rumah ibu bapa saya.", "kerana hari ini cuaca baik.", "selepas makan malam.", "di bandar besar itu esok."],
)
GERMAN = (
    ["Wir warten heute lange auf den Bus", "Meine Schwester liest ein neues Buch", "Morgen sehen wir alte Freunde"],
    ["am Fluss in unserer Stadt.", "weil das Wetter so schön ist.", "im großen Haus der Eltern.", "nach dem Essen."],
)


@pytest.mark.parametrize(
    ("language", "halves", "instead"),
    [
        ("sr-Latn", SERBIAN, ""),  # of which the identifier knows Cyrillic
        ("sr", SERBIAN, ""),
        ("hr", SERBIAN, ""),
        ("ms", MALAY, ""),
        ("id", MALAY, ""),
        ("de", GERMAN, ""),
        ("fi", GERMAN, "de"),
    ],
)
def test_what_most_lines_are_in_is_no_wrong_language(
    language: str, halves: tuple[list[str], list[str]], instead: str
) -> None:
    """But a tenth of the lines in a third language is found; a side that is another language has one notice."""
    lines = [f"{left} {right}" for left, right in product(*halves)] * 10
    other = ["We do not know what they say here."] * len(lines)
    assert set(suspects(other, lines, ("en", language))) == {""}
    notices = language_notices(other, lines, ("en", language))
    assert len(notices) == bool(instead) and all(f"another language, such as {instead};" in line for line in notices)
    mixed = [FRENCH[i % 5] if i % 10 == 0 else line for i, line in enumerate(lines)]
    found = suspects(other, mixed, ("en", language))
    assert [bool(reason) for reason in found] == [i % 10 == 0 for i in range(len(lines))]
