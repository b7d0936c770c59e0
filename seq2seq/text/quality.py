"""What looks wrong with parallel text, found before hours are spent on it. Nothing is dropped for it: a person decides.

Lines that do not belong together have lengths that hardly agree. A sentence on the wrong side is made of words that
the other side knows; one in a third language, where the script is another, of letters that neither has.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np

ENOUGH = 100  # pairs, from which a share or a correlation says something
LOOSE = 0.3  # correlation of lengths; translations have 0.8 or 0.9, shuffled lines 0
FAVOURS = 4  # how many times as often the other side must have a word before the word counts as the other side's
MOST = 200_000  # pairs looked at, evenly spread
SHOWN = 3  # numbers of pairs


def quality_checks(src: Sequence[str], tgt: Sequence[str], sides: tuple[str, str]) -> list[str]:
    """Notices about pairs of lines, with the places of the first few; none where all is well. `sides` are named."""
    if len(src) < ENOUGH:
        return []
    every = 1 + len(src) // MOST
    src, tgt, notices = src[::every], tgt[::every], []

    def tell(rows: Sequence[int], what: str) -> None:
        if rows:
            first = ", ".join(f"{1 + every * i:,}" for i in rows[:SHOWN]) + (" ..." if len(rows) > SHOWN else "")
            notices.append(f"{len(rows):,} of {len(src):,} {what} (pairs {first})")

    agreement = correlation(src, tgt)
    if agreement < LOOSE:
        notices.append(
            f"the lengths of the two sides hardly agree (correlation {agreement:.2f}): does line n translate line n?"
        )
    copied = [i for i, (s, t) in enumerate(zip(src, tgt, strict=True)) if s.strip() == t.strip() and len(s.split()) > 3]
    tell(copied, "pairs have the source copied to the target")
    words = [[set(line.lower().split()) for line in lines] for lines in (src, tgt)]
    counts = [Counter(w for line in side for w in line) for side in words]
    for lines, own_words, (own, other), here, there in (
        (src, words[0], counts, *sides),
        (tgt, words[1], counts[::-1], *sides[::-1]),
    ):
        wrong = [i for i, line in enumerate(own_words) if is_of_the_other(line, own, other)]
        tell(wrong, f"{here} lines are {there} by their words")
        scripts = [script(line) for line in lines]
        [(usual, count)] = Counter(filter(None, scripts)).most_common(1) or [("", 0)]
        if count > 0.9 * sum(map(bool, scripts)):
            strange = [i for i, found in enumerate(scripts) if found and found != usual]
            tell(strange, f"{here} lines are not in {usual.capitalize()} letters")
    return notices


def correlation(src: Sequence[str], tgt: Sequence[str]) -> float:
    """Pearson's, of the logarithms of the lengths in characters; 1 where a side has but one length."""
    lengths = np.log1p([[len(line) for line in side] for side in (src, tgt)])
    return float(np.corrcoef(lengths)[0, 1]) if lengths.std(axis=1).all() else 1.0


def is_of_the_other(words: set[str], own: Counter[str], other: Counter[str]) -> bool:
    """Whether most of a line's words are at home on the other side; the line's own occurrence is left out."""
    theirs = sum(other[w] >= FAVOURS * max(1, own[w] - 1) for w in words)
    return len(words) > 3 and theirs > 0.7 * len(words)


def script(line: str) -> str:
    """The script of most of the first letters of a line: LATIN, CYRILLIC, CJK ...; empty for a line without letters."""
    letters = islice(filter(str.isalpha, line), 20)
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    return names.most_common(1)[0][0] if names else ""
