r"""A text of several lines: its lines, and its n-best list from those of its lines.

Each line is translated by itself. Lines end at `\n`; a `\r` before it is no part of the line, and is put back.
"""

from collections.abc import Sequence

from seq2seq.translation.translator import Translation

EMPTY = Translation("", 0.0, 0.0, [])  # the translation of a line without words


def split_lines(text: str) -> list[str]:
    """The lines of a text, one at least."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def ranked_texts(text: str, lines: Sequence[Sequence[Translation]]) -> list[Translation]:
    """The n-best list of a text from those of its lines. Its rank r joins rank r of each line, or the line's last.

    Alignments count words from the beginning of the text. The list holds at least one translation.
    """
    sources = text.split("\n")
    ranked = []
    for rank in range(max(1, *map(len, lines))):
        chosen = [nbest[min(rank, len(nbest) - 1)] if nbest else EMPTY for nbest in lines]
        alignment, src_words, tgt_words = list[list[int]](), 0, 0
        for source, line in zip(sources, chosen, strict=True):
            alignment += [[src + src_words, tgt + tgt_words] for src, tgt in line.alignment]
            src_words += count_words(source.removesuffix("\r"))
            tgt_words += count_words(line.text)
        ends = ["\r" if source.endswith("\r") else "" for source in sources]
        joined = "\n".join(line.text + end for line, end in zip(chosen, ends, strict=True))
        log_prob, score = sum(line.log_prob for line in chosen), sum(line.score for line in chosen)
        ranked.append(Translation(joined, log_prob, score, alignment))
    return ranked


def different(translations: Sequence[Translation]) -> list[Translation]:
    """The translations without those whose text came before; samples may repeat."""
    first = dict[str, Translation]()
    for translation in translations:
        first.setdefault(translation.text, translation)
    return list(first.values())


def count_words(line: str) -> int:
    """The number of words separated by spaces, as alignments count them."""
    return len([word for word in line.split(" ") if word])
