"""Where sentences begin and end, by `sentencex`, which knows many languages, and by rules for its commonest errors.

The rules do not know what words mean: "plan B. I" and "John B. Hill" look alike. In doubt they join.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

from seq2seq.segments.words import primary

Span = tuple[int, int]

# Characters that `sentencex` is given at once, since its time grows with their square; and how many of them must follow
# the end of a sentence.
_AT_ONCE, _AFTER = 4000, 500

# No sentence ends after these. A number or a letter alone is a list item; initials alone begin a name.
_TITLE = re.compile(
    r"(?:Dra?|Drs|Prof|Profa|Pr|Mr|Mrs|Ms|Mt|Ste?|Hr|Fr|Fa|Mme|Mlle|MM|Mgr|Sra?|Srta|Dña|[Dd]hr|[Mm]evr|[Mm]w|Ds|Ir|Ing|bd)\.$"
)
_ITEM_OR_INITIALS = re.compile(r"\(?(?:\d{1,3}|[a-z]|(?:[A-ZÀ-Ý]\.[-\s]?)*[A-ZÀ-Ý])[.．)]\s*")
_BEFORE_NUMBER = re.compile(r"(?:^|[\s(.’'])(?i:no?|nr|núm|art|fig|abb|afb|pp?|págs?|blz|vol|chap|cap|bd|sec|al)\.$")
_GERMAN_ORDINAL = re.compile(r"\b(?:[Dd](?:er|ie|as|e[mns])|[IiAa]m|[Vv]om|[Zz]u[mr]|[Bb]eim|[Ii]ns)\s\d{1,2}\.$")
# Before a lower-case word: a short abbreviation, an ellipsis, or a quotation whose verb follows.
_BEFORE_LOWER = re.compile(r"(?:^|\W|\d)[^\W\d]{1,3}\.$|\.\.\.$|…$|[.!?…][\"”’»]$")
# After "." without white space: "c.-à-d.", "n.º", "U.S.". After a closing bracket or quote: a Japanese particle.
_GOES_ON = re.compile(r"[-.,;:/°º\da-z]|ª|[A-Z](?![a-zß-ÿ])")
_PARTICLE = re.compile(r"(?!はい|でも|とても|ところ|とき|もう|もし|もち|もっと)(?:って|など|だ|[とはがをにのもで])")
# A list item's number that `sentencex` leaves at the end of the sentence before it.
_NEXT_ITEM = re.compile(r"(?:[.!?…][\"”»)]*\s+|[。！？]\s*)(\d{1,3}[.．])\s*$")
# Where `sentencex` may miss an end, and which ends are sure. `noun` is not sure where every noun has a capital.
_CANDIDATE = re.compile(r"[.…)。）](?<!\w\))(?:\s+(?=[A-ZÀ-Ý¿¡]|[a-z][A-Z])|(?<=。)(?=[a-z])|(?<=。）))")
_MISSED = re.compile(
    r"(?:^|(?<=[.!?]\s))\([^()]*[.!?]\)\s+(?=[A-ZÀ-Ý])|(?:^|(?<=。))（[^（）]*。）|(?:www\.|@|://)\S{1,200}\.\s+(?=[A-ZÀ-Ý])"
    r"|\b(?:me|[Nn]o|ill|mich|mag|bien|dat|pas|via|Tom|Ken)\.\s+(?=[A-ZÀ-Ý¿¡])"  # ordinary words, seldom abbreviations
    r"|(?<=\w{5}\.)\s+(?=[a-z][A-Z])|(?<=。)(?=[a-z])|(?P<noun>(?:(?<=\w)…|\betc\.|\benz\.)\s+(?=[A-ZÀ-Ý]))"
)


def sentences(text: str, language: str) -> list[Span]:
    """The places (start, end) of the sentences in a text, without the white space around them.

    Between two sentences there is nothing but white space, perhaps none. `language` is a BCP 47 code; what `sentencex`
    does not know is divided as English is.
    """
    language = primary(language)
    ends = {*_boundaries(text, language), len(text)}
    for candidate in _CANDIDATE.finditer(text):
        if (end := candidate.end()) not in ends:
            sure = _MISSED.finditer(text, max(0, end - 60), end + 2)  # a window: the pattern is slow on long texts
            ends.update(m.end() for m in sure if language not in ("de", "lb") or not m["noun"])
    spans = list[Span]()
    start = 0
    for end in sorted(ends):
        if end < len(text):
            if text[0].isdigit() and (item := _NEXT_ITEM.search(text, max(start, end - 16), end)):
                end = item.start(1)
            elif text[end - 1] in "'’“«" and text[start : end - 1].endswith((". ", "! ", "? ")):
                end -= 1
            elif _is_inside(text, start, end, language):
                continue
        if stripped := text[start:end].strip():
            begin = text.index(stripped[0], start)
            spans.append((begin, begin + len(stripped)))
        start = end
    return spans


def _is_inside(text: str, start: int, end: int, language: str) -> bool:
    """Whether the sentence from `start` goes on at `end`."""
    last, following = text[max(start, end - 16) : end].rstrip(), text[end : end + 3]
    if following[0] in "」』）”»)]" or _TITLE.match([last, *last.split()][-1].lstrip("(")):
        return True
    if end - start < 16 and _ITEM_OR_INITIALS.fullmatch(text, start, end):
        return True
    if (text[end - 1] == "." and _GOES_ON.match(following)) or (last[-1:] in "」』）" and _PARTICLE.match(following)):
        return True
    if following[0].isdigit():
        return bool(_BEFORE_NUMBER.search(last))
    if following.lstrip("¿¡")[:1].islower() and not following[1:2].isupper() and not text[start].islower():
        return bool(_BEFORE_LOWER.search(last))
    return language == "de" and bool(_GERMAN_ORDINAL.search(last))


def _boundaries(text: str, language: str) -> Iterator[int]:
    """Where the sentences end, with the white space after them, in order."""
    from sentencex import segment

    # One character for each, so that places stay: `sentencex` leaves out line breaks between long paragraphs.
    flat = "".join(" " if letter.isspace() else letter for letter in text) if not text.isprintable() else text
    start = 0
    while start < len(flat):
        part = flat[start : start + _AT_ONCE]
        ends = list(accumulate(map(len, segment(language, part))))
        if start + len(part) < len(flat):  # what follows the last sentences decides where they end
            ends = [end for end in ends if end <= len(part) - _AFTER]
            part = part[: ends[-1] if ends else len(part) - _AFTER]
        yield from (start + end for end in ends)
        start += len(part)
