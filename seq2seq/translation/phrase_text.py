"""Phrases in a text that is written little by little: which are complete, and which have begun.

A phrase is found as whole words (`seq2seq.segments.words`): it is complete once the character after it, or the end of
the text, shows that its last word ends. What is to be known of a text so far is a `Place`: the end of the text that
begins a phrase, as in the automaton of Aho & Corasick (1975). This module knows no tokens.
"""

import codecs
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from seq2seq.segments.normalisation import plain
from seq2seq.segments.words import fold, is_boundary, is_small, is_unspaced, is_word, joins, with_capital

_GLUES = "'’(-/[{„“«‘¿¡"  # no space follows them
_LOST = "\ufffd"  # stands for bytes that are no character; translations are written without it


class Wanted(NamedTuple):
    """A phrase that a translation must hold."""

    text: str
    begins: bool = True  # where no word stands before it, it may be written with a capital


class Avoided(NamedTuple):
    """Phrases that a translation must not hold: one in small letters in no case, another as it is written."""

    phrases: tuple[str, ...] = ()
    any_case: bool = False  # all of them in no case


class SourceTerm(NamedTuple):
    """A wanted phrase, and what it translates, where the model aligns."""

    text: str
    positions: tuple[int, ...]  # of the tokens of the source that it translates


class Wish(NamedTuple):
    """What phrases one translation must hold, and must not."""

    wanted: tuple[tuple[Wanted, int], ...] = ()  # all different, and how often at least
    avoided: Avoided = Avoided()
    terms: tuple[SourceTerm, ...] = ()  # the wanted phrases in the order of the source
    language: str = ""  # of the translation, where it has terms


def counted(phrases: Sequence[str], begins: bool) -> tuple[tuple[Wanted, int], ...]:
    """The different phrases, and how often each stands in a text that holds each of `phrases`, none in another.

    Args:
        phrases: repeats allowed.
        begins: whether the text is the beginning of a sentence.
    """
    inside = {phrase: sum(count_in(other, phrase) for other in phrases) for phrase in phrases}
    return tuple((Wanted(phrase, begins), count) for phrase, count in inside.items())


def count_in(text: str, phrase: str) -> int:
    """How often a phrase stands in a text, as whole words."""
    starts = [start for start in range(len(text)) if text.startswith(phrase, start)]
    ends = [(start, start + len(phrase)) for start in starts]
    return sum(is_boundary(text[a - 1 : a], text[a]) and is_boundary(text[b - 1], text[b : b + 1]) for a, b in ends)


class Place(NamedTuple):
    """All that matters of a text so far."""

    tail: str = ""  # the longest end of the text that begins a phrase, or is one
    fresh: bool = True  # no word stands before the tail
    last: str = ""  # without a tail: what stands for the last character; "" at the beginning of the text
    rest: bytes = b""  # the first bytes of a character


class Form(NamedTuple):
    """A way to write a wanted phrase."""

    phrase: int  # its number
    text: str
    fresh: bool  # only where no word stands before it


class Completed(NamedTuple):
    """What the last characters of a text completed."""

    wanted: tuple[int, ...] = ()  # numbers of phrases, repeats allowed
    lists: frozenset[int] = frozenset()  # numbers of lists, a phrase of which is in the text


class PhraseText:
    """Follows texts, looking for wanted and avoided phrases; their numbers are their places in the arguments."""

    def __init__(self, wanted: Sequence[Wanted], avoided: Sequence[Avoided]) -> None:
        self.forms = [Form(number, phrase.text, fresh=False) for number, phrase in enumerate(wanted)]
        capitals = [(number, with_capital(phrase.text)) for number, phrase in enumerate(wanted) if phrase.begins]
        self.forms += [Form(number, text, fresh=True) for number, text in capitals if text]
        self._begun = dict[str, list[Form]]()  # by each of their beginnings
        for form in self.forms:
            for end in range(1, len(form.text) + 1):
                self._begun.setdefault(form.text[:end], []).append(form)
        self._exact, self._folded = dict[str, set[int]](), dict[str, set[int]]()  # lists, by the whole phrase
        for number, each in enumerate(avoided):
            for phrase in map(plain, each.phrases):
                if each.any_case or is_small(phrase):
                    self._folded.setdefault(fold(phrase), set()).add(number)
                else:
                    self._exact.setdefault(phrase, set()).add(number)
        self._exact_begun, self._folded_begun = (
            {phrase[:end] for phrase in whole for end in range(1, len(phrase) + 1)}
            for whole in (self._exact, self._folded)
        )

    def after(self, place: Place, data: bytes) -> tuple[Place, Completed]:
        """The place after further bytes of UTF-8, and what they complete."""
        text, rest = _decoded(place.rest + data)
        if not place.tail and not rest and not self._begins(place.last, text):
            last = text.replace(_LOST, "")[-1:]
            if last and not (place == Place() and text.isspace()):  # spaces at the beginning change nothing
                place = Place("", place.fresh and not any(map(is_word, text)), _representative(last))
            return place._replace(rest=b""), Completed()
        found, place = Completed(), place._replace(rest=b"")
        for letter in text:
            if letter == _LOST:
                continue
            letter = " " if letter.isspace() and letter < "\x80" else letter
            if place.tail and joins(place.tail[-1]) and not joins(letter):
                found = self._complete(place, found)
            place = self._extended(place, letter)
            if not joins(letter):
                found = self._complete(place, found)
        return place._replace(rest=rest), found

    def end(self, place: Place) -> Completed:
        """What the end of the text completes."""
        return self._complete(place, Completed()) if place.tail and joins(place.tail[-1]) else Completed()

    def begun(self, place: Place) -> list[tuple[Form, int]]:
        """The forms of wanted phrases that the text ends with the beginning of, each with its bytes so far."""
        result = list[tuple[Form, int]]()
        for tail, fresh in _ends(place):
            result += [(form, len(tail.encode())) for form in self._begun.get(tail, ()) if fresh or not form.fresh]
        if place.rest:
            last, fresh = last_of(place)
            result += [(f, 0) for f in self.forms if is_boundary(last, f.text[0]) and (fresh or not f.fresh)]
            size = len(place.rest)
            result = [(f, done + size) for f, done in result if f.text.encode()[done : done + size] == place.rest]
        return result

    def _begins(self, last: str, text: str) -> bool:
        """Whether a phrase may begin in a text after a character that `last` stands for."""
        for letter in text:
            if is_boundary(last, letter) and self._fits(letter, fresh=True):
                return True
            last = letter
        return False

    def _extended(self, place: Place, letter: str) -> Place:
        """The place after another character."""
        text, fresh = place.tail + letter, place.fresh
        for start in range(len(text)):
            before = text[start - 1] if start else "" if place.tail else place.last
            if is_boundary(before, text[start]) and self._fits(text[start:], fresh):
                return Place(text[start:], fresh)
            fresh = fresh and not is_word(text[start])
        return Place("", fresh, "" if letter == " " and place == Place() else _representative(letter))

    def _fits(self, text: str, fresh: bool) -> bool:
        """Whether the text begins a phrase, or is one."""
        if any(fresh or not form.fresh for form in self._begun.get(text, ())):
            return True
        text = plain(text)
        return text in self._exact_begun or (bool(self._folded_begun) and fold(text) in self._folded_begun)

    def _complete(self, place: Place, found: Completed) -> Completed:
        """What was found, and the phrases that are ends of the text."""
        wanted, lists = found
        for tail, fresh in _ends(place):
            forms = self._begun.get(tail, ())
            wanted += tuple(form.phrase for form in forms if form.text == tail and (fresh or not form.fresh))
            text = plain(tail)
            lists = lists.union(self._exact.get(text, ()), self._folded.get(fold(text), ()))
        return Completed(wanted, lists)


def last_of(place: Place) -> tuple[str, bool]:
    """What stands for the last character of the text, and whether no word stands in it."""
    if not place.tail:
        return place.last, place.fresh
    return _representative(place.tail[-1]), place.fresh and not any(map(is_word, place.tail))


def needs_space(last: str, text: str) -> bool:
    """Whether a space is written between a character, of which `last` is what stands for it, and a phrase."""
    return last not in ("", " ", "(") and not is_unspaced(last) and not is_unspaced(text[0])


def _ends(place: Place) -> Iterator[tuple[str, bool]]:
    """The ends of the tail that begin with a word, the longest first, and whether no word stands before each."""
    tail, fresh = place.tail, place.fresh
    for start, letter in enumerate(tail):
        if not start or is_boundary(tail[start - 1], letter):
            yield tail[start:], fresh
        fresh = fresh and not is_word(letter)


def _representative(letter: str) -> str:
    """What stands for a character, for all that such characters mean here."""
    if letter.isspace():
        return " "
    if is_word(letter):
        return "あ" if is_unspaced(letter) else "a"
    return "(" if letter in _GLUES else "."


def _decoded(data: bytes) -> tuple[str, bytes]:
    """The characters of UTF-8, and the first bytes of one that is not whole."""
    try:
        return data.decode(), b""
    except UnicodeDecodeError:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(data), decoder.getstate()[0]
