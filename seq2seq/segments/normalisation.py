"""Text as models read it: composed characters, plain spaces, no invisible characters, one form of quotes and dashes.

The same function is applied to the source side of training text and to what is translated. A model folder records the
version that its model was trained with. Translations are not normalised.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

VERSION = 1  # of `normalise`; 0 is text as it stands

# Format characters that no reader sees: soft hyphen, zero-width space, byte-order mark, marks of direction and others.
# U+200C and U+200D are kept within scripts that are written with them: Arabic, and those of South and Southeast Asia.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
    "|(?<![\u0600-\u07ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff])[\u200c\u200d]"
)
_SPACE = re.compile("[\t\n\x0b\x0c\r\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")

_HALF = "[\uff61-\uff9f]"  # half-width Japanese; its voicing marks are characters of their own, which compose


def _wide(first: str, last: str) -> range:
    """The code points of the wide forms of these ASCII characters."""
    return range(ord(first) + 0xFEE0, ord(last) + 0xFEE1)


_FORMS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4`\u2039\u203a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u2014\u2015\u2012", "\u2013"),
        "\u2026": "...",
        # Ligatures, and the wide letters and digits of East Asian text.
        **{letter: unicodedata.normalize("NFKC", letter) for letter in map(chr, range(0xFB00, 0xFB07))},
        **{chr(wide): chr(wide - 0xFEE0) for first, last in ("09", "AZ", "az") for wide in _wide(first, last)},
    }
)

# What `normalise` changes in composed text; U+200C and U+200D perhaps.
_CHANGED = re.compile(f"{_INVISIBLE.pattern}|{_SPACE.pattern}|{_HALF}|  |[{re.escape(''.join(map(chr, _FORMS)))}]")
_PLAIN = {letter: form for letter, form in _FORMS.items() if len(form) == 1}


class Normalised(NamedTuple):
    """A normalised text, and where each of its characters comes from."""

    text: str
    origins: Sequence[int]  # for each character, and for the end, its place in the text that was normalised


def normalise(text: str, version: int = VERSION) -> Normalised:
    """The text as a model of this version reads it.

    Runs of white space become one space, quotes and dashes one form each, an ellipsis three dots, ligatures, wide
    letters and half-width kana plain ones; invisible characters are removed; then the text is composed (Unicode's NFC).
    Nothing else changes.
    """
    if not version or (
        not _CHANGED.search(text)
        and (text.isascii() or (unicodedata.is_normalized("NFC", text) and not any(map(unicodedata.combining, text))))
    ):
        return Normalised(text, range(len(text) + 1))
    letters, origins = list[str](), list[int]()
    for start, cluster in _clusters(text):
        for letter in cluster:
            if letter == " " and letters and letters[-1] == " ":
                continue
            letters.append(letter)
            origins.append(start)
    return Normalised("".join(letters), [*origins, len(text)])


def tidy(text: str, version: int = VERSION) -> str:
    """The target side of training text: plain spaces, composed, without invisible characters; quotes as they stand."""
    if not version or (text.isascii() and text.isprintable()):
        return text
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _SPACE.sub(" ", text)))


def plain(text: str) -> str:
    """The text with one form of quotes, dashes and spaces, as long as before."""
    return text if text.isascii() else _SPACE.sub(" ", text).translate(_PLAIN)


def _clusters(text: str) -> list[tuple[int, str]]:
    """The normalised characters, as runs that come from one place: a letter with the marks that compose with it."""
    result = list[tuple[int, str]]()
    visible = [
        (i, unicodedata.normalize("NFKC", letter) if re.match(_HALF, letter) else _SPACE.sub(" ", letter))
        for i, letter in enumerate(text)
        if _SPACE.match(letter) or not _INVISIBLE.match(text, i)
    ]
    start = 0
    while start < len(visible):
        end = start + 1
        while end < len(visible) and (
            unicodedata.combining(visible[end][1]) or _composes(visible[end - 1][1], visible[end][1])
        ):
            end += 1
        composed = unicodedata.normalize("NFC", "".join(letter for _, letter in visible[start:end]))
        result.append((visible[start][0], composed.translate(_FORMS)))
        start = end
    return result


def _composes(first: str, second: str) -> bool:
    """Whether two characters make one that is neither: the parts of a Korean syllable, some vowels of India."""
    return second > "\u0900" and len(unicodedata.normalize("NFC", first + second)) == 1
