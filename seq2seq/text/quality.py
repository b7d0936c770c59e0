"""Checks that find suspicious sentence pairs before hours of training. They drop nothing: a person decides.

In misaligned text the lengths of the two sides are hardly correlated. A sentence on the wrong side consists of words of
the other language; a sentence in a third language may consist of letters of another script. This module does not know
files or tokens.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np

MIN_PAIRS = 100  # in fewer pairs a share or a correlation is not reliable
LOW_CORRELATION = 0.3  # of lengths; translations have 0.8 or 0.9, shuffled lines 0
FACTOR = 4  # a word counts as the other side's if it is this many times as frequent there
MAX_PAIRS = 200_000  # pairs checked, evenly spread over the text
EXAMPLES = 3  # pair numbers in a notice


def quality_checks(src: Sequence[str], tgt: Sequence[str], languages: tuple[str, str]) -> list[str]:
    """One notice per kind of problem, with the numbers of its first pairs, counted from 1; none if all is well."""
    if len(src) < MIN_PAIRS:
        return []
    step = 1 + len(src) // MAX_PAIRS
    src, tgt, notices = src[::step], tgt[::step], []

    def note(rows: Sequence[int], problem: str) -> None:
        if rows:
            first = ", ".join(f"{1 + step * i:,}" for i in rows[:EXAMPLES]) + (" ..." if len(rows) > EXAMPLES else "")
            notices.append(f"{len(rows):,} of {len(src):,} {problem} (pairs {first})")

    r = correlation(src, tgt)
    if r < LOW_CORRELATION:
        notices.append(
            f"the lengths of the two sides are hardly correlated ({r:.2f}); check that line n translates line n"
        )
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
        if count > 0.9 * sum(map(bool, scripts)):
            unusual = [i for i, name in enumerate(scripts) if name and name != usual]
            note(unusual, f"{language} lines are not in {usual.capitalize()} letters")
    return notices


def correlation(src: Sequence[str], tgt: Sequence[str]) -> float:
    """Pearson correlation of the log lengths in characters; 1 if all lines of a side have one length."""
    lengths = np.log1p([[len(line) for line in side] for side in (src, tgt)])
    return float(np.corrcoef(lengths)[0, 1]) if lengths.std(axis=1).all() else 1.0


def is_in_other_language(words: set[str], own: Counter[str], other: Counter[str]) -> bool:
    """Whether most words of a line are frequent on the other side and, this line not counted, rare on its own side."""
    foreign = sum(other[w] >= FACTOR * max(1, own[w] - 1) for w in words)
    return len(words) > 3 and foreign > 0.7 * len(words)


def script(line: str) -> str:
    """The script of most of the first 20 letters of a line: LATIN, CYRILLIC, CJK ...; empty if it has no letters."""
    letters = islice(filter(str.isalpha, line), 20)
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    return names.most_common(1)[0][0] if names else ""
