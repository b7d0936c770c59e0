"""Checks that find suspicious sentence pairs before hours of training. They drop nothing: a person decides.

Where lines have slipped, each fits a line near its own number better; in shuffled text the lengths of the two sides are
hardly correlated. A sentence on the wrong side consists of words of the other language; a sentence in a third language
may consist of letters of another script. This module does not know files or tokens.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from seq2seq.text.alignment import Slip, slips

MIN_PAIRS = 100  # in fewer pairs a share or a correlation is not reliable
LOW_CORRELATION = 0.3  # of lengths; translations have 0.8 or 0.9, shuffled lines 0
FACTOR = 4  # a word counts as the other side's if it is this many times as frequent there
MAX_PAIRS = 200_000  # pairs checked, evenly spread over the text
WINDOW = 200  # pairs of which the lengths are correlated; a text has the median of its windows
MIN_SPREAD = 0.2  # of the log lengths in a window; of lines of one length (sorted text) a correlation says nothing
COMPARED = 5_000  # lines that are searched for slips
USUAL = 0.8  # share of the lines from which a script is the usual one
EXAMPLES = 3  # pair numbers in a notice
CHECK_LINES = "check that line n translates line n"
Name = Callable[[int], str]  # of a pair, for a notice, by its row
_KANA = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
_SCRIPTS = {"CJK": "Chinese or Japanese"}  # names for the user


def quality_checks(
    src: Sequence[str],
    tgt: Sequence[str],
    languages: tuple[str, str],
    name: Name = lambda row: f"{row + 1:,}",
) -> list[str]:
    """One notice per kind of problem, with the numbers of its first pairs; none if all is well.

    Args:
        src, tgt: the two sides.
        languages: their languages, for the notices.
        name: of a pair by its row; default: its number.
    """
    if len(src) < MIN_PAIRS:
        return []
    notices = _misalignment(src, tgt, languages, name)
    step = 1 + len(src) // MAX_PAIRS
    src, tgt = src[::step], tgt[::step]

    def note(rows: Sequence[int], problem: str) -> None:
        if rows:
            first = ", ".join(name(step * i) for i in rows[:EXAMPLES]) + (" ..." if len(rows) > EXAMPLES else "")
            notices.append(f"{len(rows):,} of {len(src):,} {problem} (pairs {first})")

    copied = [i for i, (s, t) in enumerate(zip(src, tgt, strict=True)) if s.strip() == t.strip() and len(s.split()) > 3]
    note(copied, "pairs have the source copied to the target")
    words = [[set(line.lower().split()) for line in lines] for lines in (src, tgt)]
    counts = [Counter(w for line in side for w in line) for side in words]
    for lines, line_words, (own, other), (language, other_language) in (
        (src, words[0], counts, languages),
        (tgt, words[1], counts[::-1], languages[::-1]),
    ):
        wrong = [i for i, line in enumerate(line_words) if is_in_other_language(line, own, other)]
        note(wrong, f"{language} lines consist mostly of {other_language} words")
        scripts = [script(line) for line in lines]
        [(usual, count)] = Counter(filter(None, scripts)).most_common(1) or [("", 0)]
        if count > USUAL * sum(map(bool, scripts)):
            unusual = [i for i, name in enumerate(scripts) if name and name != usual]
            note(unusual, f"{language} lines are not in {_SCRIPTS.get(usual, usual.capitalize())} letters")
    return notices


def _misalignment(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str], name: Name) -> list[str]:
    """A notice if the sides have slipped, or if most lines do not seem to translate each other at all."""
    found = slip_notices(slips(src, tgt, COMPARED), languages, name) + correlation_notices(src, tgt)
    return [f"{': '.join(found)}; {CHECK_LINES}"] if found else []


def correlation_notices(src: Sequence[str], tgt: Sequence[str]) -> list[str]:
    """A notice if the lengths of the two sides say that most lines do not translate each other."""
    if len(src) < MIN_PAIRS:
        return []
    windows = range(0, max(1, len(src) - WINDOW // 2), WINDOW)
    of_windows = (correlation(src[i : i + WINDOW], tgt[i : i + WINDOW]) for i in windows)
    known = [r for r in of_windows if r is not None]
    r = float(np.median(known)) if known else correlation(src, tgt)  # of sorted text, that of all
    hardly = r is not None and r < LOW_CORRELATION
    return [f"the lengths of the two sides are hardly correlated ({r:.2f})"] if hardly else []


def slip_notices(found: Sequence[Slip], languages: tuple[str, str], name: Name) -> list[str]:
    """What the slips are, for the user."""
    src, tgt = languages
    return [
        f"from pair {name(start)} to {name(stop - 1)} line n of {src} belongs with line n {shift:+d} of {tgt}"
        for start, stop, shift in found
    ]


def correlation(src: Sequence[str], tgt: Sequence[str]) -> float | None:
    """Pearson correlation of the log lengths in characters; None if a side's hardly vary, by less than MIN_SPREAD."""
    lengths = np.log1p([[len(line) for line in side] for side in (src, tgt)])
    return float(np.corrcoef(lengths)[0, 1]) if lengths.std(axis=1).min() >= MIN_SPREAD else None


def is_in_other_language(words: set[str], own: Counter[str], other: Counter[str]) -> bool:
    """Whether most words of a line are frequent on the other side and, this line not counted, rare on its own side."""
    foreign = sum(other[w] >= FACTOR * max(1, own[w] - 1) for w in words)
    return len(words) > 3 and foreign > 0.7 * len(words)


def script(line: str) -> str:
    """The script of most of the first 20 letters of a line: LATIN, CYRILLIC, CJK ...; empty if it has no letters."""
    if line.isascii():  # for speed
        return "LATIN" if any(map(str.isalpha, line)) else ""
    letters = islice(filter(str.isalpha, line), 20)
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    for name in _KANA & names.keys():  # Japanese is written in all of these
        names["CJK"] += names.pop(name)
    return names.most_common(1)[0][0] if names else ""
