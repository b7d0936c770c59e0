"""Finds what is not language in a segment and puts marks in its place, and puts it back into the translation.

What stands in the place of a word (a placeholder, an address, a number) becomes a VALUE; tags and emphasis around words
an OPEN and a CLOSE; other markup, emoji and the marks of lists an ALONE. The code of each is a `Kept`.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from seq2seq.errors import InputError
from seq2seq.segments import dates, number_lists, ranges
from seq2seq.segments.names import Names, begins_after
from seq2seq.segments.numbers import localised
from seq2seq.segments.patterns import EMPHASIS, LINE_MARK, LINK, MAYBE, around_markup, found_in
from seq2seq.segments.segment import ALONE, CLOSE, OPEN, VALUE, Mark, Segment
from seq2seq.segments.words import UNSPACED_LANGUAGES, apart, primary

_VOID = {"br", "hr", "img", "input", "wbr"}  # tags without an end tag
# Names of the patterns whose matches stand between words, not in the place of one.
_STANDING = {"emoji", "escape", "footnote", "symbol"}
_DIGITS = {"date", "phone", "number"}  # written in plain digits, also where the source has wide ones or those of Arabic
# What stands before a version such as 3.11: a name that does not begin the text, or what a part of a text is called.
_PARTS_OF_TEXTS = (
    "versions?|releases?|sections?|chapters?|figures?|tables?|equations?|version(?:en)?|abschnitte?s?|kapiteln?"
    "|abbildung(?:en)?|tabellen?|versi(?:ón|ones)|secci(?:ón|ones)|cap[íi]tulos?|figuras?|tablas?|chapitres?|tableaux?"
    "|versies?|paragra(?:af|fen)|hoofdstuk(?:ken)?|figuren|figuur|tabel(?:len)?"
)
_VERSION_OF = re.compile(rf"(?:\w\W+[A-Z]\w*|\b(?i:{_PARTS_OF_TEXTS}))\s$|(?:バージョン|図|表|[第式])\s?$")
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_OPENS_CODE = frozenset("{<")  # what a template's tag or a message of ICU begins with
_OBJECT = "\ufffc"  # stands for a mark where these are looked for
_SMALL_NUMBER = re.compile(r"\d{1,4}")

Span = tuple[int, int]  # where something begins and ends in a text


class Kept(str):
    """The code of a mark that `keep` made: the text to put back. `source` is what stood in the source.

    Where marks of the document stand in what is kept, `parts` are its texts and these marks. Where it is words of the
    target language, a sentence that begins with them has a capital. `before` is the word that is written before it, and
    `instead_of` are those that it takes the place of; what `counters` matches behind it is left out. `key` is what
    stands for it where both sides of a pair are compared.
    """

    source: str
    parts: Sequence[str | Mark] = ()
    is_words = False
    kind = ""  # of a date or a time
    key = ""
    before = ""
    instead_of: Set[str] = frozenset()
    counters: re.Pattern[str] | None = None

    @classmethod
    def of(cls, text: str, source: str) -> "Kept":
        """The code with both texts."""
        kept = cls(text)
        kept.source = source
        return kept


@dataclass(frozen=True)
class Keeping:
    """What is kept.

    Args:
        src, tgt: the languages, by which numbers are written anew.
        patterns: regular expressions of the user's, of what is kept as well.
        nothing: keep nothing at all.
        lenient: leave whole numbers of a few digits to the model.
        names: tells names that the model cannot know; None: none are kept.

    Raises:
        InputError: a pattern is not a regular expression, or it matches the empty text.
    """

    src: str = ""
    tgt: str = ""
    patterns: Sequence[str] = ()
    nothing: bool = False
    lenient: bool = False
    names: Names | None = None

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            try:
                empty = re.compile(pattern).match("")
            except re.error as e:
                raise InputError(
                    f"--keep {pattern!r} is not a regular expression: {e}; escape its marks with \\"
                ) from None
            if empty:
                raise InputError(f"--keep {pattern!r} matches the empty text; write what must be there")

    def own(self, text: str) -> list[tuple[int, int]]:
        """The places of what the user's patterns match; the first pattern wins, and then what begins first."""
        taken = list[tuple[int, int]]()
        for pattern in self.patterns:
            for match in re.finditer(pattern, text):
                begin, end = match.span()
                if begin < end and all(end <= a or b <= begin for a, b in taken):
                    taken.append((begin, end))
        return sorted(taken)


def keep(segment: Segment, keeping: Keeping) -> Segment:
    """The segment with marks in the place of what is not language, beside those that it has."""
    if keeping.nothing or not (
        keeping.patterns
        or MAYBE.search(segment.text)
        or LINE_MARK.match(segment.text.lstrip())
        or (keeping.names and keeping.names.places(segment.text))
    ):
        return segment
    parts, first = list[str | Mark](), True
    for number, part in enumerate(_with_code_around_marks(segment)):
        if isinstance(part, Mark):
            parts.append(part)
            continue
        names = keeping.names.places(part, first) if keeping.names else []
        first = begins_after(part, first)
        parts.extend(_divided(part, keeping, names, begins=number == 0))
    parts = _paired(parts)
    _find_words_before(parts, keeping)
    return Segment.of_parts(parts)


def kept_codes(text: str, keeping: Keeping) -> Counter[str]:
    """What is to be kept of a text, and how often it stands there."""
    return Counter(str(mark.code) for mark in keep(Segment(text), keeping).marks)


def lost(codes: Counter[str], translation: str) -> list[str]:
    """What does not stand in a translation as often as in its source, of which these are the `kept_codes`."""
    # 110 does not stand in 1100.
    found = {code: len(re.findall(rf"(?<!\d){re.escape(code)}(?!\d)", translation)) for code in codes}
    return [code for code, count in codes.items() if found[code] != count]


def restore(segment: Segment) -> Segment:
    """The segment with the text of each `Kept`, and the marks in it, in the place of its mark; other marks stay."""
    parts = list[str | Mark]()
    for part in segment.parts():
        is_kept = isinstance(part, Mark) and isinstance(part.code, Kept)
        parts.extend((part.code.parts or [str(part.code)]) if is_kept else [part])  # type: ignore[union-attr]
    return Segment.of_parts(parts)


def _with_code_around_marks(segment: Segment) -> list[str | Mark]:
    """The parts of the segment, where a template's tag or a message that holds marks is a VALUE, marks and all.

    Divided at the marks, `{n, plural, one {# <b>file</b>} other {# files}}` would be words and braces.
    """
    if not segment.marks or _OPENS_CODE.isdisjoint(segment.text):
        return segment.parts()
    items = [item for part in segment.parts() for item in (part if isinstance(part, str) else [part])]
    flat = "".join(item if isinstance(item, str) else _OBJECT for item in items)
    found, start = list[str | Mark](), 0
    for match in around_markup().finditer(flat):
        inside = Segment.of_parts(items[match.start() : match.end()])
        if inside.marks and inside.balanced():
            code = Kept.of(inside.text, inside.text)
            code.parts = inside.parts()
            found += [*items[start : match.start()], Mark(0, VALUE, code)]
            start = match.end()
    return Segment.of_parts([*found, *items[start:]]).parts()


def _divided(text: str, keeping: Keeping, names: Sequence[Span], begins: bool) -> Iterator[str | Mark]:
    """The text and the marks of what is kept in it. Tags are OPEN or CLOSE here, whether they match or not."""
    start = 0
    for begin, end, kind, code in sorted(_things(text, keeping, names, begins)):
        if begin > start:
            yield text[start:begin]
        yield Mark(0, kind, code if isinstance(code, Kept) else Kept.of(code, text[begin:end]))
        start = end
    if start < len(text):
        yield text[start:]


def _things(text: str, keeping: Keeping, names: Sequence[Span], begins: bool) -> list[tuple[int, int, str, str]]:
    """What is kept in a text: start, end, kind of its mark, and the text to put back. None overlaps another.

    `names` are the places of names, of which those in something else are left out.
    """
    things = list[tuple[int, int, str, str]]()
    things += [(begin, end, VALUE, text[begin:end]) for begin, end in keeping.own(text)]
    match = LINE_MARK.match(text, len(text) - len(text.lstrip())) if begins else None
    if match and not (things and things[0][0] < match.end()):
        things.insert(0, (*match.span(), ALONE, match[0]))
    for link in LINK.finditer(_without(text, [(begin, end) for begin, end, _, _ in things])):
        things += [(*link.span("mark"), OPEN, link["mark"]), (*link.span("end"), CLOSE, text[slice(*link.span("end"))])]
    things.sort()
    taken = [(begin, end) for begin, end, _, _ in things]
    free = zip([0, *(end for _, end in taken)], [*(begin for begin, _ in taken), len(text)], strict=True)
    seen = apart(text, keeping.src)
    found = [match for begin, end in free for match in found_in(seen, begin, end)]
    days = [] if keeping.lenient else _dates(text, keeping, taken, found)
    begins_of_days = [day.begin for day in days]
    listed: dict[str, list[number_lists.Found]] = {"number": [], "phone": []}
    version_end = 0
    for match in found:
        if keeping.lenient and _SMALL_NUMBER.fullmatch(match[0]):
            continue
        name, (begin, end) = str(match.lastgroup), match.span()
        code = text[begin:end]
        day = bisect_right(begins_of_days, begin)
        if day and end <= days[day - 1].end:
            continue
        if name in _DIGITS and keeping.tgt and primary(keeping.tgt) not in UNSPACED_LANGUAGES:
            code = re.sub(r"\d", lambda m: str(unicodedata.decimal(m[0])), code)
        if name == "version" or (name == "number" and _is_version(text, begin, end, version_end, keeping.src)):
            version_end = end
        elif name == "number":
            code = _localised(code, keeping)
        if name in listed or name == "version":
            listed["phone" if name == "phone" else "number"].append((begin, end, code))
        else:
            things.append((begin, end, _kind(name, code), code))
    values = list(days)
    for numbers in listed.values():
        joined = number_lists.joined(text, numbers, keeping.src, keeping.tgt)
        values += [ranges.Found(begin, end, code, code, kind=ranges.NUMBER) for begin, end, code in joined]
    for value in ranges.joined(text, sorted(values), keeping.src, keeping.tgt):
        code = value.text if value.kind == ranges.NUMBER else _date(value, text, keeping)
        things.append((value.begin, value.end, VALUE, code))
    taken = sorted((begin, end) for begin, end, _, _ in things)
    for begin, end in names:
        before = bisect_left(taken, (end, 0))  # how many begin before the name ends, the last of which may be in it
        if not before or taken[before - 1][1] <= begin:
            things.append((begin, end, VALUE, text[begin:end]))
    rest = _without(text, [(begin, end) for begin, end, _, _ in things])
    for first, last in _emphasis(rest, 0, len(rest)):
        things += [(*first, OPEN, text[slice(*first)]), (*last, CLOSE, text[slice(*last)])]
    return things


def _dates(text: str, keeping: Keeping, taken: Sequence[Span], found: Sequence[re.Match[str]]) -> list[ranges.Found]:
    """Dates, times and large numbers that the target language writes in another order, outside of what is kept.

    A number of what was `found` stands in a date as a whole, or there is no date: 5 May 2024-2026.
    """
    others = [match.span() for match in found if match.lastgroup not in _DIGITS]
    numbers = [match.span() for match in found if match.lastgroup in _DIGITS]
    if not numbers:
        return []
    begins, days = [begin for begin, _ in numbers], list[ranges.Found]()
    for day in dates.found(_without(text, [*taken, *others], _OBJECT), keeping.src, keeping.tgt):
        first, after = bisect_left(begins, day.begin), bisect_left(begins, day.end)
        if (not first or numbers[first - 1][1] <= day.begin) and (not after or numbers[after - 1][1] <= day.end):
            days.append(day)
    return days


def _date(day: ranges.Found, text: str, keeping: Keeping) -> Kept:
    """The code of a date in the text."""
    kept = Kept.of(day.text, text[day.begin : day.end])
    kept.is_words, kept.before, kept.counters = True, day.before, dates.counters(keeping.tgt, day.text)
    kept.kind, kept.key = day.kind, day.key
    kept.instead_of = dates.words_before(keeping.src, keeping.tgt) if day.before else frozenset()
    return kept


def _find_words_before(parts: Sequence[str | Mark], keeping: Keeping) -> None:
    """Give each date or time that begins a pair of marks the word that stands before the pair: on <b>5 May</b>."""
    text = ""  # before the marks
    for i, part in enumerate(parts):
        if isinstance(part, str):
            text = part
        elif part.kind != OPEN:
            code, opened = part.code, i > 0 and isinstance(parts[i - 1], Mark)
            if part.kind == VALUE and opened and isinstance(code, Kept) and code.kind and not code.before:
                code.before = dates.word_before(text, code.kind, keeping.src, keeping.tgt)
                code.instead_of = dates.words_before(keeping.src, keeping.tgt) if code.before else frozenset()
            text = ""


def _kind(name: str, code: str) -> str:
    """The kind of mark for a match of the pattern of this name."""
    if name != "tag":
        return ALONE if name in _STANDING else VALUE
    if code.startswith(("</", "[/")):
        return CLOSE
    word = re.match(r"[<\[](\w*)", code)
    return ALONE if code.endswith("/>") or code.startswith("<!") or (word and word[1].lower() in _VOID) else OPEN


def _is_version(text: str, begin: int, end: int, version_end: int, language: str) -> bool:
    """Whether a number is that of a version or of a part of a text, or goes on with a list of such that ended there."""
    if _VERSION_OF.search(text, max(0, begin - 40), begin):
        return True
    is_like = version_end and _VERSION.fullmatch(text, begin, end)
    return bool(is_like) and number_lists.goes_on(text[version_end:begin], language)


def _localised(code: str, keeping: Keeping) -> str:
    """A number with its unit, as the target language writes it."""
    return re.sub(r"\d[\d.,’' \u00a0\u202f]*\d", lambda m: localised(m[0], keeping.src, keeping.tgt), code)


def _emphasis(text: str, start: int, end: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The places of the marks at both ends of each emphasis, also of those inside another."""
    for match in EMPHASIS.finditer(text, start, end):
        inside = match.span("words")
        yield match.span("mark"), (inside[1], match.end())
        yield from _emphasis(text, *inside)


def _without(text: str, spans: Sequence[tuple[int, int]], filler: str = "x") -> str:
    """The text with letters, or other characters, in these places, as long as before."""
    letters = list(text)
    for begin, end in spans:
        letters[begin:end] = filler * (end - begin)
    return "".join(letters)


def _paired(parts: Sequence[str | Mark]) -> list[str | Mark]:
    """The parts with each OPEN and CLOSE of `keep` that has no partner as an ALONE."""
    result, opened = list(parts), list[int]()
    for i, part in enumerate(parts):
        if not isinstance(part, Mark):
            continue
        if part.kind == OPEN:
            opened.append(i)
        elif part.kind == CLOSE:
            partner = _partner(parts, opened, part)
            if partner is None:
                result[i] = part._replace(kind=ALONE)
                continue
            while (last := opened.pop()) != partner:
                result[last] = result[last]._replace(kind=ALONE)  # type: ignore[union-attr]
    for i in opened:
        result[i] = result[i]._replace(kind=ALONE)  # type: ignore[union-attr]
    return result


def _partner(parts: Sequence[str | Mark], opened: Sequence[int], last: Mark) -> int | None:
    """The place of the OPEN that a CLOSE ends. A document's own pairs always match; no other pair crosses them."""
    for i in reversed(opened):
        first = parts[i]
        assert isinstance(first, Mark)
        if not isinstance(last.code, Kept):
            if not isinstance(first.code, Kept):
                return i
        elif not isinstance(first.code, Kept):
            return None
        elif _match(first.code, last.code):
            return i
    return None


def _match(first: str, last: str) -> bool:
    """Whether two tags, or two marks of emphasis, belong together."""
    if last.startswith("]("):
        return first in ("[", "![")
    if last[0] not in "<[":
        return first == last
    name = re.match(r"[<\[]([\w:.-]*)", first)
    return name is not None and last[2:-1].strip().lower() == name[1].lower()
