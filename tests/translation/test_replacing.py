"""Terms in the place of what a translation has for them: which words, and what the search makes of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reversal_task import Learnt, reversals, silent

from seq2seq.folder import checkpoint
from seq2seq.segments.glossary import Term, Terms
from seq2seq.translation import unit_search
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.phrase_text import Avoided, SourceTerm, Wish, count_in, counted
from seq2seq.translation.replacing import with_terms
from seq2seq.translation.search import Hypothesis, SearchConfig
from seq2seq.translation.translator import LineTranslator
from seq2seq.translation.unit_search import UnitSearch
from seq2seq.translation.units import Unit

LINES = [pair.src for pair in reversals(30, seed=11)]
TERMS = Terms((Term("2", "7"), Term("3 1", "0 0"), Term("9", "5 4")))


FREQUENT = ["a", "auf", "das", "der", "die", "ein", "er", "es", "ganz", "ist", "is", "not", "the"]


class Pieces:
    """A tokenizer whose tokens are numbers of these pieces."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = pieces
        self.texts = [piece.encode() for piece in pieces]

    def cost(self, word: str) -> float:
        return 0.8 if word.lower() in FREQUENT else 0.9 + len(word) / 1000

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces[i] for i in ids).removeprefix(" ")

    def ends(self, ids: Iterable[int]) -> list[int]:
        return [max(0, end - 1) for end in accumulate(len(self.pieces[i]) for i in ids)]


def replaced(source: str, target: str, aligned: str, terms: str, avoided: str = "", language: str = "de") -> list[str]:
    """The translation with the terms, which are written `dog=Köter`, divided by commas.

    Each word of the source is a token; words of the target are divided into tokens by |. `aligned` has a digit for each
    of these.
    """
    words = source.split()
    tgt = Pieces([piece for word in target.split() for piece in f" {word}".split("|")])
    held = [
        SourceTerm(phrase, tuple(words.index(word) for word in term.split()))
        for term, phrase in (term.split("=") for term in terms.split(", "))
    ]
    wish = Wish(
        counted([term.text for term in held], begins=True),
        Avoided((avoided,) if avoided else ()),
        tuple(held),
        language,
    )
    unit = Unit(list(range(len(words))), [], [], 1, 0, wish)
    hypothesis = Hypothesis(list(range(len(tgt.pieces))), -2.0, -1.0, list(map(int, aligned)))
    src = Pieces([f" {word}" for word in words])
    return [made.text for made in with_terms(unit, [hypothesis], src, tgt) if made]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "target", "aligned", "terms", "expected"),
    [
        # An article is aligned to its noun, and stays.
        ("the dog sees the cat", "der Hund sieht die Kat|ze|.", "1124444", "dog=Köter", "der Köter sieht die Katze."),
        (
            "the dog sees the cat",
            "der Hund sieht die Kat|ze",
            "112444",
            "cat=Maus, dog=Köter",
            "der Köter sieht die Maus",
        ),
        # As many words as the term has in the source, and none that is frequent beside a rarer one.
        ("the train station closes", "der Bahnhof ist zu", "1223", "train station=Halt", "der Halt ist zu"),
        ("I can not allow it", "ich not erlaube es", "0334", "allow=tue", "ich not tue es"),
        ("the end", "das ist es", "111", "end=aus", "das ist aus"),
        ("the black cat eats", "die schwarze Katze frisst", "1123", "black cat=Kater", "die Kater frisst"),
        ("a clinic is here", "a big hospital is here", "11123", "clinic=health centre", "a big health centre is here"),
        # A word of several tokens belongs to what half of them are aligned to.
        ("my house", "mein Haus|tür|schloss", "0100", "house=Hütte", None),
        ("my house", "mein Ha|us|e|s", "01100", "house=Hütte", "mein Hütte"),
        # Words of the term that stand beside it already.
        ("Mr Smith is here", "Herr Smith ist hier", "0123", "Smith=Herr Schmied", "Herr Schmied ist hier"),
        ("New York is big", "York City ist groß", "0123", "New York=New York City", "New York City ist groß"),
        ("the dog", "Der Hund", "11", "dog=der Köter", "Der Köter"),
        # A mark at the term's end is not doubled.
        ("use Yahoo!", "nimm Yahoo|!", "012", "Yahoo!=Jahu!", "nimm Jahu!"),
        # The run with the rarest word; a comma ends one, marks inside of words do not.
        ("he gives up it", "er gibt es ganz auf", "01311", "gives=reicht", "er reicht es ganz auf"),
        ("so dogs bark", "so|, Hunde|, die Tiere|, bellen", "01111112", "dogs=Köter", "so, Köter, die Tiere, bellen"),
        ("so dogs bark", "so|, Vieh|, die Rinder|, bellen", "01111112", "dogs=Köter", "so, Vieh, die Köter, bellen"),
        ("Dr Smith sleeps", "Dr|. Smith schläft", "0112", "Dr Smith=Frau Schmidt", "Frau Schmidt schläft"),
        ("the A&T sleeps", "die A|&|T schläft", "01112", "A&T=Post", "die Post schläft"),
        # In German geht's is a word.
        ("how is it", "wie geht|'|s", "0111", "is=steht", "wie steht"),
        # Of terms with one translation it is all the same which is aligned to what.
        ("a dog or dogs", "ein Hund oder die Hunde", "01211", "dog=Vieh, dogs=Vieh", "ein Vieh oder die Vieh"),
        ("a dog or dogs", "ein Hund oder die Hunde", "01203", "dog=Vieh, dogs=Vieh", "ein Vieh oder die Vieh"),
        ("a dog or dogs", "ein Hund oder die Hunde", "01200", "dog=Vieh, dogs=Vieh", None),
        # Where a sentence begins, a capital.
        ("dogs bark", "Hunde bellen", "01", "dogs=kleine Tiere", "Kleine Tiere bellen"),
        ("dogs bark", "„|Hunde|“ bellen", "0001", "dogs=kleine Tiere", "„Kleine Tiere“ bellen"),
        ("iPods bark", "Hunde bellen", "01", "iPods=eBooks", "eBooks bellen"),
        # Without spaces letters are words, and particles stay, unless the term has its own.
        ("the dog sees", "犬は|見る", "12", "dog=ワンコ", "ワンコは見る"),
        ("the dog sees", "わんちゃん|は|見る", "102", "dog=いぬ", "いぬは見る"),
        ("the dog sees", "わん|は|見る", "112", "dog=犬", "犬は見る"),
        ("two differences here", "２つの|絵の違|いだ", "111", "differences=差", "２つの絵の差だ"),
        ("the beautiful dog", "美し|い犬", "12", "beautiful=素敵", "素敵犬"),
        ("the difference is", "違|いがある", "12", "difference=差", "差がある"),
        ("the Great Wall", "我|看|长|城", "0012", "Great Wall=萬里長城", "我看萬里長城"),
        # Nothing is aligned; the same words are to two terms; it stands there already; bytes that are no character.
        ("my dog sleeps", "wir schlafen", "02", "dog=Köter", None),
        ("my dog sleeps", "der Köter schläft", "002", "dog=Köter", "der Köter schläft"),
        ("my dog sleeps", "der Köter schläft", "012", "dog=Köter", "der Köter schläft"),
        ("Mr Smith sleeps", "der Herr Smith schläft", "0012", "Mr=Herr, Smith=Herr Schmied", None),
        ("the dog cat", "猫|犬", "21", "dog=猫犬, cat=虎", None),
        ("my dog", "der \ufffd", "01", "my=Köter", None),
    ],
)
def test_the_words_that_are_aligned_to_a_term_give_way_to_it(
    source: str, target: str, aligned: str, terms: str, expected: str | None
) -> None:
    assert replaced(source, target, aligned, terms) == ([] if expected is None else [expected])


def test_the_word_before_fits_the_term() -> None:
    assert replaced("the dog sleeps", "a cat sleeps", "012", "dog=owl", language="en") == ["an owl sleeps"]
    assert replaced("the dog sleeps", "l|'|ami dort", "0012", "dog=chien", language="fr") == ["le chien dort"]


@pytest.mark.parametrize(
    ("target", "aligned", "language", "expected"),
    [
        ("aujourd|'|hui il dort", "11102", "fr", "demain il dort"),
        ("l|'|ami d|'|ici dort", "0110002", "fr", "le demain d'ici dort"),
        ("l|'|ami dort", "1112", "fr", "le demain dort"),
        ("he did|n|'|t sleep", "011112", "en", "he demain sleep"),
        ("the dog|'|s tail", "01000", "en", "the demain's tail"),
        ("he|'|s here", "1110", "en", "demain's here"),
    ],
)
def test_words_with_an_apostrophe(target: str, aligned: str, language: str, expected: str) -> None:
    """What is elided in French stands before a word; in English all is one, but for 's."""
    assert replaced("the dog sleeps", target, aligned, "dog=demain", language=language) == [expected]


def test_what_would_hold_a_phrase_to_avoid_is_left_out() -> None:
    arguments = "the dog sees", "Der Hund sieht", "012", "dog=Köter"
    assert replaced(*arguments, avoided="der hund") == ["Der Köter sieht"]
    assert replaced(*arguments, avoided="Der Köter") == []


@given(st.data())
def test_every_term_comes_and_all_else_stays(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    target = data.draw(st.lists(st.sampled_from([" a", " b", "c", ",", "犬", "は", " D"]), min_size=1, max_size=8))
    aligned = data.draw(st.lists(st.integers(0, count - 1), min_size=len(target), max_size=len(target)))
    phrases = data.draw(st.dictionaries(st.integers(0, count - 1), st.sampled_from(["x", "Y z", "猫"]), min_size=1))
    held = tuple(SourceTerm(phrase, (position,)) for position, phrase in phrases.items())
    wanted = counted([term.text for term in held], begins=True)
    tokenizer = Pieces([" " + target[0].strip(), *target[1:]])
    hypothesis = Hypothesis(list(range(len(target))), 0.0, 0.0, aligned)
    unit = Unit(list(range(count)), [], [], 1, 0, Wish(wanted, terms=held))
    before = tokenizer.decode(hypothesis.tokens)
    for made in with_terms(unit, [hypothesis], Pieces([" s"] * count), tokenizer):  # type: ignore[arg-type]
        if made is None:
            continue
        assert all(count_in(made.text.lower(), phrase.text.lower()) >= times for phrase, times in wanted)
        rest, at = "", 0
        for begin, end, position in made.places:
            assert made.text[begin:end].lower() == phrases[position].lower()
            rest, at = rest + made.text[at:begin] + "\0", end
        kept = iter(before)
        assert all(letter in kept for letter in (rest + made.text[at:]).replace("\0", "")), "a part of what was there"


# ---- in the search ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(learnt: Learnt) -> Bundle:
    return checkpoint.load_model(learnt.folder)


def expected_of(line: str) -> str:
    """The translation of digits in turn, with the terms."""
    return " ".join({"2": "7", "9": "5 4"}.get(digit, digit) for digit in reversed(line.split()))


@pytest.mark.parametrize("beam", [1, 4])
def test_terms_stand_where_the_model_puts_what_they_replace(bundle: Bundle, beam: int) -> None:
    """The model reverses digits, so it is known where each of them stands."""
    terms = Terms((Term("2", "7"), Term("9", "5 4")))
    config = SearchConfig(beam=beam)
    plain = LineTranslator(bundle, config).translate(LINES)
    right = [line for line, text in zip(LINES, plain, strict=True) if text == line[::-1]]
    assert len(right) > 0.8 * len(LINES)
    found = LineTranslator(bundle._replace(terms=terms), config).translate(right)
    agreed = [text == expected_of(line) for line, text in zip(right, found, strict=True)]
    assert sum(agreed) > 0.9 * len(right)


def test_a_term_is_aligned_to_what_it_translates(bundle: Bundle) -> None:
    bound = bundle._replace(terms=Terms((Term("2", "six seven"),)))
    lines = [line for line in LINES if line.count("2") == 1]
    units = [units_of(bound, line) for line in lines]
    assert len(units) > 3
    for unit, found in zip(units, UnitSearch(bound, SearchConfig(beam=2), 1024).search(units), strict=True):
        [position] = unit.wish.terms[0].positions
        for hypothesis in found:
            text = bundle.tgt_tokenizer.decode(hypothesis.tokens)
            begin, end = text.index("six"), text.index("seven") + len("seven")
            ends = bundle.tgt_tokenizer.ends(hypothesis.tokens)
            assert {s for s, at in zip(hypothesis.sources, ends, strict=True) if begin < at <= end} == {position}


def test_with_terms_translations_are_scored_by_the_model_and_the_same_in_every_batch(bundle: Bundle) -> None:
    config = SearchConfig(beam=3)
    found = [
        list(LineTranslator(bundle._replace(terms=TERMS), config, size, alignments=True).stream(LINES, silent))
        for size in (1024, 1, 40)
    ]
    assert found[0] == found[1] == found[2]
    scorer = LineTranslator(bundle, config)
    for line, candidates in zip(LINES, found[0], strict=True):
        log_probs = scorer.log_probs([line] * len(candidates), [each.text for each in candidates])
        assert [each.log_prob for each in candidates] == pytest.approx(log_probs, rel=1e-4)
        assert [each.score for each in candidates] == sorted((each.score for each in candidates), reverse=True)
        for place in TERMS.places(line):
            assert all(count_in(each.text, place.target) for each in candidates)


def test_where_nothing_can_be_replaced_the_search_is_constrained(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, config = bundle._replace(terms=TERMS), SearchConfig(beam=3)
    monkeypatch.setattr(unit_search, "with_terms", lambda unit, hypotheses, *tokenizers: [None for _ in hypotheses])
    unaligned = LineTranslator(bound, config).translate(LINES)
    units = [units_of(bound, line) for line in LINES]
    searched = UnitSearch(bound, config, 1024)._searched(units)
    assert unaligned == [bundle.tgt_tokenizer.decode(best.tokens) for best, *_ in searched]
    assert LineTranslator(bound, replace(config, sample=0.5)).translate(LINES), "samples as well"
    monkeypatch.undo()
    assert LineTranslator(bound, config).translate(LINES) != unaligned


@pytest.mark.parametrize("settings", [{"beam": 3}, {"beam": 2, "sample": 0.5}])
def test_a_line_that_is_a_term_becomes_the_term(bundle: Bundle, settings: dict[str, float]) -> None:
    terms = Terms((Term("2", "seven"), Term("3 1", "eight nine"), Term("4 4", "ten"), Term("5?", "why?")))
    lines = ["2", "3 1", "2!", "(3 1)", "4 4", "5?", "2 2", "3 1 4"]
    config = SearchConfig(**settings)  # type: ignore[arg-type]
    found = list(LineTranslator(bundle._replace(terms=terms), config).stream(lines, silent))
    assert [each[0].text for each in found[:6]] == ["seven", "eight nine", "seven!", "(eight nine)", "ten", "why?"]
    assert not {each[0].text for each in found[6:]} & {"seven", "eight nine"}
    log_probs = LineTranslator(bundle, config).log_probs(lines[:6], [each[0].text for each in found[:6]])
    assert [each[0].log_prob for each in found[:6]] == pytest.approx(log_probs, rel=1e-4)


def test_a_term_may_be_longer_than_its_line(bundle: Bundle) -> None:
    """What is written beside it is what would be there without."""
    long, config = "0 1 " * 20 + "0 1", SearchConfig(beam=3, max_ratio=1.0, max_extra=5)
    for found in LineTranslator(bundle._replace(terms=Terms((Term("2", long),))), config).stream(["2 3 4"], silent):
        assert found[0].text == f"4 3 {long}"


def test_samples_are_those_of_the_plain_search_with_terms(bundle: Bundle) -> None:
    terms, config = Terms((Term("2", "7"), Term("9", "5 4"))), SearchConfig(beam=2, sample=0.3)
    plain, bound = (LineTranslator(each, config) for each in (bundle, bundle._replace(terms=terms)))
    agreed = [
        {each.text for each in found} == {expected_of(each.text[::-1]) for each in samples}
        for line, found, samples in zip(LINES, bound.stream(LINES, silent), plain.stream(LINES, silent), strict=True)
        if samples[0].text == line[::-1]
    ]
    assert len(agreed) > 20 and sum(agreed) > 0.9 * len(agreed)
    for line, found in zip(LINES, bound.stream(LINES, silent), strict=True):
        assert len(found) == 2
        assert all(count_in(each.text, place.target) for each in found for place in terms.places(line))


def units_of(bundle: Bundle, line: str) -> Unit:
    """The line as a unit that wishes its terms."""
    [ids] = bundle.src_tokenizer.encode([line])
    places = bundle.terms.places(line)
    wanted = counted([place.target for place in places], begins=True)
    ends = bundle.src_tokenizer.ends(ids)
    terms = tuple(
        SourceTerm(place.target, tuple(i for i, end in enumerate(ends) if place.begin < end <= place.end))
        for place in places
    )
    return Unit(ids, [], [], 1, 0, Wish(wanted, terms=terms))
