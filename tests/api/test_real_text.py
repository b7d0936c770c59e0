"""What a person pastes comes back translated, and nothing of it is lost: with the models that ship."""

import json
import re
import unicodedata
from itertools import permutations
from pathlib import Path

import pytest

import seq2seq
from seq2seq.api.models import open_model, shipped_models
from seq2seq.segments.segment import Segment
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.scoring import score
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.assembly import Assembly
from seq2seq.translation.translator import LineTranslator

CASES = Path(__file__).parents[3] / "shared" / "cases" / "keep.jsonl"
KEPT = [
    "Hello %s, how are you?",
    "Hello {name}.",
    "%d files deleted.",
    "Read https://example.com/a?b=c#d first.",
    "Write to bob@example.com today.",
    "My number is 0123-456789.",
    "On 2024-05-17 I was ill.",
    "Click <b>here</b> to go on.",
    "Tom &amp; Mary are here.",
    "I am happy 😀!",
    "Thank you @alice!",
    "I have 3 cats and 12 dogs.",
    "Call 110 or 112.",
    "Back in the 1990s I was young.",
]


@pytest.fixture(scope="module")
def model() -> seq2seq.Translator:
    return seq2seq.load()


def test_all_sentences_of_a_line_are_translated(model: seq2seq.Translator) -> None:
    sentences = ["Where is the station?", "I have lost my passport.", "Please call a doctor."]
    for text, gap in ((" ".join(sentences), " "), ("  \u00a0".join(sentences), "  \u00a0")):
        assert model.translate(text, to="de") == gap.join(model.translate(sentences, to="de"))
    long = " ".join(sentences * 20)
    assert model.translate(long, to="de").count("Bahnhof") == 20
    assert model.translate(" ".join(sentences), to="de", split=False) != model.translate(" ".join(sentences), to="de")


def test_sentences_without_space_between_have_one_where_the_target_has(model: seq2seq.Translator) -> None:
    sentences = ["駅はどこですか。", "私は猫が好きです！", "犬もいるよ"]
    for to in ("en", "de", "fr", "es", "nl"):
        apart = model.translate(sentences, from_="ja", to=to)
        assert model.translate("".join(sentences), from_="ja", to=to) == " ".join(apart)
        assert model.translate("　".join(sentences), from_="ja", to=to) == "　".join(apart)
        for between in ("🙂", "<!-- x -->", "[1]"):
            assert model.translate(between.join(sentences), from_="ja", to=to) == f"{between} ".join(apart)
        assert "</b><!-- x --> <i>" in model.translate(
            "<b>駅はどこですか。</b><!-- x --><i>犬もいるよ</i>", from_="ja", to=to
        )
    assert model.translate("Where is it?I know.", to="de") == "".join(
        model.translate(["Where is it?", "I know."], to="de")
    )


def test_dates_are_written_in_the_order_of_the_target_language(model: seq2seq.Translator) -> None:
    for to, written in (("en", "November 19, 1972"), ("de", "19. November 1972"), ("fr", "19 novembre 1972")):
        assert written in model.translate("会議は1972年11月19日です。", from_="ja", to=to)
    assert "1972年11月19日" in model.translate("The meeting is on November 19, 1972.", from_="en", to="ja")


def test_many_numbers_of_a_sentence_stand_with_their_words(model: seq2seq.Translator) -> None:
    text = "I see 13 houses, 32 men, 85 cars, 62 books and 75 tables."
    for to, words in (("de", "Häuser Männer Autos Bücher Tische"), ("nl", "hui man auto boek ta")):
        translation = model.translate(text, to=to)
        for number, word in zip((13, 32, 85, 62, 75), words.split(), strict=True):
            assert f"{number} {word}" in translation, translation
    [best] = model.translate("Tom is 12, Mary is 13, John is 14.", to="de", nbest=1)
    assert [number for number in best.text.replace(",", " ").replace(".", " ").split() if number.isdigit()] == [
        "12",
        "13",
        "14",
    ]


def test_links_count_words_over_all_sentences(model: seq2seq.Translator) -> None:
    [best, *_] = model.translate("I am tired.  He is here.", to="de", nbest=3)
    source, target = ["I", "am", "tired.", "He", "is", "here."], best.text.split()
    pairs = {(source[a], target[b]) for a, b in best.alignment}
    assert {("tired.", "müde."), ("here.", "hier.")} <= pairs


@pytest.mark.parametrize("text", KEPT)
def test_what_is_not_language_is_kept(model: seq2seq.Translator, text: str) -> None:
    from seq2seq.segments.keeping import Keeping, keep
    from seq2seq.segments.segment import Segment

    codes = [mark.code for mark in keep(Segment(text), Keeping("en", "de")).marks]
    assert codes
    for candidate in model.translate(text, to="de", nbest=3):
        assert all(candidate.text.count(code) == text.count(code) for code in codes)
        assert candidate.text != text


@pytest.mark.parametrize(
    "text", ["🙂", "12345", "-", "https://example.com", "你好", "\u200b", "%s", "...", "   ", "<br>"]
)
def test_what_is_no_text_comes_back_as_it_is(model: seq2seq.Translator, text: str) -> None:
    assert model.translate(text, to="de") == text
    assert [t.text for t in model.translate(text, to="de", nbest=3)] == [text]


@pytest.mark.parametrize("word", ["你好", "Привет", "مرحبا", "𝐇𝐞𝐥𝐥𝐨"])
def test_words_of_other_scripts_are_kept(model: seq2seq.Translator, word: str) -> None:
    translation = model.translate(f"I say {word} to you.", to="de")
    assert translation.count(word) == 1 and len(translation.split()) > 2


SYLLABLES = ["gu", "na", "mos", "ri", "kub", "ta", "len", "vo", "shi", "dra", "pel", "ki", "zor", "ba", "wen"]
SENTENCES = [
    "{} is my older brother.",
    "Yesterday {} bought a new car.",
    "Have you seen {}'s mother?",
    "I think that {} knows a lot of people.",
    "{} and Mary were married in October.",
]


def test_names_that_no_text_has_are_kept(model: seq2seq.Translator) -> None:
    names = ["".join(three).title() for three in permutations(SYLLABLES[:6], 3)]
    lines = [SENTENCES[i % len(SENTENCES)].format(name) for i, name in enumerate(names)]
    for to in ("de", "fr", "es", "nl"):
        found = model.translate(lines, to=to)
        assert sum(name in line for name, line in zip(names, found, strict=True)) >= 0.97 * len(names)
        without = model.translate(lines[:40], to=to, keep=False)
        assert sum(name in line for name, line in zip(names, without, strict=False)) < 30
    known = ["Tom", "Boston", "Friday", "French", "Christmas", "Japanese", "Where", "Dictionaries"]
    reading = Assembly(
        open_model([shipped_models()["en", "de"]], threads=1)[0], Segment(". ".join(known)), 1, False, True
    )
    assert not [part for sentence in reading.sentences for part in sentence.values]


def test_what_a_memory_has_translations_of_is_no_name(model: seq2seq.Translator, tmp_path: Path) -> None:
    target = "Nach diesem Befehl ist alles neu geordnet"
    (tmp_path / "text.tsv").write_text(f"en\tde\nReindexing the garlums\t{target}\n", encoding="utf-8")
    memory = {"memory": str(tmp_path / "text.tsv"), "memory_share": 0.95}
    assert "Reindexing" in model.translate("Reindexing the garlums", to="de")
    assert model.translate("Reindexing the garlums", to="de", **memory).startswith(target[:30])
    assert "Rimkuben" in model.translate("Rimkuben is my older brother.", to="de", **memory)


def test_words_that_only_another_language_of_the_model_has_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tokenizer of many languages knows the letters of all of them."""
    monkeypatch.setattr(Tokenizer, "knows", lambda self, ids: True)
    bundle, _ = open_model([shipped_models()["en", "de"]], threads=1)
    kept = []
    for directions in ((("en", "de"), ("ja", "de")), (("en", "de"),)):
        assembly = Assembly(bundle._replace(directions=directions), Segment("I say 你好 to you."), 1, False, True)
        kept.append(["你好" in message for message in assembly.messages])
    assert kept == [[True], []]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WHERE IS THE STATION?", "WO IST DER BAHNHOF?"),
        ("  I am tired.  ", "  Ich bin müde.  "),
        ("\tI am tired.", "\tIch bin müde."),
        ("- I am tired.", "- Ich bin müde."),
        ("**I am tired.**", "**Ich bin müde.**"),
        ("1. I am tired.", "1. Ich bin müde."),
        ("I am tired.\u200b", "Ich bin müde.\u200b"),
        ("It costs 3.50 dollars.", "Es kostet 3,50 Dollar."),
    ],
)
def test_case_space_and_marks_stay(model: seq2seq.Translator, text: str, expected: str) -> None:
    if text.startswith("It"):
        assert "3,50" in model.translate(text, to="de")
    else:
        assert model.translate(text, to="de") == expected


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFD", "Die Tür ist geöffnet."),
        "Die\u00a0Tür ist\u2009geöffnet.",
        "Die Tür\tist  geöffnet.",
        "Die Tür ist ge\u00adöffnet.",
        "\ufeffDie Tür ist geöffnet.",
        "\u202aDie Tür ist\u200b geöffnet.\u202c",
    ],
)
def test_other_forms_of_a_text_have_its_translation(model: seq2seq.Translator, text: str) -> None:
    expected = model.translate("Die Tür ist geöffnet.", to="en")
    assert model.translate(text, to="en").strip("\ufeff\u202a\u202c") == expected


def test_an_n_best_list_has_no_text_twice_and_none_that_is_empty(model: seq2seq.Translator) -> None:
    pairs = load_split(DataConfig(), "test")[:60]
    for translations in model.translate([pair.src for pair in pairs], to="de", nbest=5):
        texts = [translation.text for translation in translations]
        assert 0 < len(set(texts)) == len(texts) <= 5
        assert all(text.strip() and "\ufffd" not in text for text in texts)


def test_capitals_are_translated_nearly_as_well(model: seq2seq.Translator) -> None:
    """Scored in small letters: at least 90% of the BLEU of plain text."""
    pairs = load_split(DataConfig(), "test")[:400]
    references = [[pair.tgt.lower() for pair in pairs]]

    def bleu(sources: list[str]) -> float:
        translations = model.translate(sources, to="de", beam=1)
        return score([text.lower() for text in translations], references, ("bleu",))[0].value

    assert bleu([pair.src.upper() for pair in pairs]) > 0.9 * bleu([pair.src for pair in pairs])


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")
def test_the_shared_cases_are_kept(model: seq2seq.Translator) -> None:
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    translations = model.translate([case["source"] for case in cases], to="de")
    for case, text in zip(cases, translations, strict=True):
        assert all(text.count(held) == case["source"].count(held) for held in case["holds"]), text


def test_a_number_of_the_prefix_comes_once() -> None:
    bundle, _ = open_model([shipped_models()["en", "de"]], threads=1)
    lines, prefixes = ["He has 5 dogs.", "I have 3 cats and 12 dogs."], ["Er hat 5", "Ich habe 12 Hunde und 3"]
    found = LineTranslator(bundle.toward(("en", "de")), bundle.search).stream(lines, print, prefixes)
    for (best, *_), prefix, numbers in zip(found, prefixes, (["5"], ["12", "3"]), strict=True):
        assert best.text.startswith(prefix) and re.findall(r"\d+", best.text) == numbers


@pytest.mark.parametrize(
    ("line", "prefix", "expected"),
    [
        ("The cat sleeps. I like my dog.", "Die Katze pennt. Ich liebe", ["Die Katze pennt.", "Ich liebe"]),
        ("The cat sleeps. I like my dog.", "Die Katze pennt.", ["Die Katze pennt.", ""]),
        ("I have 3 cats. He has 5 dogs.", "Ich habe 3 Kater. Er hat 5", ["Ich habe 3 Kater.", "Er hat 5"]),
        ("The cat sleeps. Go home.", "Die Katze. Geh. Nach Hau", ["Die Katze.", "Geh. Nach Hau"]),
        ("The <b>cat</b> sleeps.", "Die <b>Katze</b> lie", ["Die <b>Katze</b> lie"]),
        ("  The cat sleeps.", "  Die Ka", ["  Die Ka"]),
    ],
)
def test_a_prefix_is_divided_as_the_line_is(line: str, prefix: str, expected: list[str]) -> None:
    bundle, _ = open_model([shipped_models()["en", "de"]], threads=1)
    [(best, *_)] = LineTranslator(bundle.toward(("en", "de")), bundle.search).stream([line], print, [prefix])
    assert best.text.startswith(prefix)
    assert best.text.count(expected[0]) == 1
    rest = best.text.removeprefix(expected[0])
    assert expected[-1] in rest if len(expected) > 1 else not rest.startswith(expected[0])
    ends = prefix.count(".") + (not prefix.endswith("."))
    assert len(re.findall(r"[.!?](?:\s|$)", best.text)) == max(line.count("."), ends)


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("The <b>cat</b> sleeps.", "Die Katze <b>lie"),
        ("The <b>cat</b> sleeps.", "Die <b>Kat"),
        ("<p>The <b>cat</b> sleeps.</p>", "<p>Die <b>Kat"),
        ("The <b>cat</b> <i>sleeps</i>.", "Die <i>Katze</i> lie"),
        ("See <b>my {name}</b>, 3 cats<br/>and dogs.", "<b>3 {name}"),
        ("I see the cat<br/>and the dog.", "Ich<br/>se"),
    ],
)
def test_markup_of_a_prefix_stands_where_the_prefix_has_it(line: str, prefix: str) -> None:
    bundle, _ = open_model([shipped_models()["en", "de"]], threads=1)
    [(best, *_)] = LineTranslator(bundle.toward(("en", "de")), bundle.search).stream([line], print, [prefix])
    assert best.text.startswith(prefix)
    tags = re.compile(r"</?\w+/?>")
    assert sorted(tags.findall(best.text)) == sorted(tags.findall(line))
    assert " </" not in best.text


def test_dates_stand_in_a_sentence_as_the_language_has_them(model: seq2seq.Translator) -> None:
    lines = ["It rained on July 19, 2016.", "He was born on March 3, 1990."]
    for to, expected in (
        ("de", ["Es regnete am 19. Juli 2016.", "Er wurde am 3. März 1990 geboren."]),
        ("fr", ["Il a plu le 19 juillet 2016.", "Il est né le 3 mars 1990."]),
        ("es", ["Llovió el 19 de julio de 2016.", "Él nació el 3 de marzo de 1990."]),
        ("nl", ["Het regende op 19 juli 2016.", "Hij is op 3 maart 1990 geboren."]),
    ):
        assert model.translate(lines, from_="en", to=to) == expected
