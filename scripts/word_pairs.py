"""Pairs of words that translate each other, from sentences that do.

A model that learnt from sentences makes a sentence of a word alone: "House" was "Machen Sie gern" in German. With its
words among the training text it translates them (docs/lab, "Words alone"):

    python scripts/word_pairs.py LARGE --tokenizer MODEL/tokenizer.model --out WORDS
    python scripts/train.py --finetune MODEL --data LARGE --data WORDS --out MODEL2

Words are aligned by IBM model 1 (Brown et al. 1993) in both directions, between English and each other language. Two
are a pair where each is the best translation of the other. The words of all languages with one in English are a row, so
that a model learns them between all languages: as they stand inside of sentences, with a capital, and with a full stop.
"""

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from seq2seq.corpora.request import Request
from seq2seq.corpora.source import read
from seq2seq.errors import InputError
from seq2seq.segments.words import UNSPACED_LANGUAGES, with_capital
from seq2seq.text.tokenizer import Tokenizer

ROUNDS = 5  # of expectation maximisation
LEAST_COUNT, LEAST_SHARE = 3.0, 0.3  # of a pair: how often the two are aligned, and their Dice coefficient
LEAST_SHARE_UNSPACED = 0.4  # tokens may be parts of words
PIVOT = "en"
TEST_SHARE = 0.05  # of the words
STOPS = {"ja": "。", "zh": "。"}
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_ELIDING = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*['’]?")  # l' and eau are two words
_LETTER = re.compile(r"[^\W\d_]")


class Texts(NamedTuple):
    """The words of one side of sentence pairs: the numbers of those of each sentence, and the form of each number."""

    sentences: list[list[int]]
    forms: list[str]
    counts: list[int]


def divided(sentence: str, language: str, tokenizer: Tokenizer | None) -> list[str]:
    """The words of a sentence; in a language without spaces the tokens of a model."""
    if language in UNSPACED_LANGUAGES:
        if tokenizer is None:
            raise InputError(f"words of {language!r} have no spaces between; give --tokenizer")
        pieces = tokenizer.pieces(tokenizer.encode([sentence])[0])
        return [word for word in (piece.strip("▁ ") for piece in pieces) if _LETTER.search(word)]
    return (_ELIDING if language in ("fr", "it") else _WORD).findall(sentence)


def texts_of(sentences: Sequence[list[str]]) -> Texts:
    """Numbers words that differ in case alone as one, whose form is the most frequent inside of sentences."""
    numbers, forms = dict[str, int](), defaultdict[int, Counter[str]](Counter)
    result = list[list[int]]()
    for words in sentences:
        ids = [numbers.setdefault(word.lower(), len(numbers)) for word in words]
        for place, (word, number) in enumerate(zip(words, ids, strict=True)):
            forms[number][word] += min(place, 1)
        result.append(ids)
    counts = Counter(number for ids in result for number in ids)
    best = [max(forms[n], key=lambda form: (forms[n][form], form)) for n in range(len(numbers))]
    return Texts(result, best, [counts[n] for n in range(len(numbers))])


def aligned(source: Texts, target: Texts) -> dict[tuple[int, int], float]:
    """How often two words are aligned, by the expectation of IBM model 1 of the target given the source.

    Each target word is aligned to one word of the source, or to none.
    """
    none = len(source.forms)
    pairs, owners, owner = list[NDArray[np.int64]](), list[NDArray[np.int64]](), 0
    for ids, other in zip(source.sentences, target.sentences, strict=True):
        words = np.array([none, *ids], np.int64)
        pairs.append((words[None, :] * len(target.forms) + np.array(other, np.int64)[:, None]).ravel())
        owners.append(np.repeat(np.arange(owner, owner + len(other)), len(words)))
        owner += len(other)
    known, of = np.unique(np.concatenate(pairs), return_inverse=True)
    owned, of_source = np.concatenate(owners), known // len(target.forms)
    chance, counts = np.ones(len(known)), np.ones(len(known))
    for _ in range(ROUNDS):
        each = chance[of]
        counts = np.bincount(of, each / np.bincount(owned, each)[owned], len(known))
        chance = counts / np.bincount(of_source, counts)[of_source]
    return {
        divmod(int(key), len(target.forms)): float(c) for key, c in zip(known, counts, strict=True) if c >= LEAST_COUNT
    }


def best_pairs(one: Texts, other: Texts, least: float) -> Iterator[tuple[int, int]]:
    """The pairs of words of which each is the best for the other, with this Dice coefficient at least."""
    there, back = aligned(one, other), aligned(other, one)
    scores = dict[tuple[int, int], float]()
    for (a, b), count in there.items():
        both = min(count, back.get((b, a), 0.0))
        share = 2 * both / (one.counts[a] + other.counts[b]) if a < len(one.forms) else 0.0
        if both >= LEAST_COUNT and share >= least:
            scores[a, b] = share
    best_of_one, best_of_other = dict[int, tuple[float, int]](), dict[int, tuple[float, int]]()
    for (a, b), share in scores.items():
        best_of_one[a] = max(best_of_one.get(a, (0.0, -1)), (share, b))
        best_of_other[b] = max(best_of_other.get(b, (0.0, -1)), (share, a))
    return ((a, b) for a, (_, b) in best_of_one.items() if best_of_other[b][1] == a)


def rows_of(data: str, tokenizer: Tokenizer | None, languages: Sequence[str]) -> dict[str, dict[str, str]]:
    """For each English word its translations by language.

    Raises:
        InputError: the train part of the source cannot be read, or has no pair of English and one of the languages.
    """
    rows = defaultdict[str, dict[str, str]](dict)
    for language in languages:
        text = read(data, Request((PIVOT, language), sparse=True), only="train")
        pairs = text.parts.get("train")
        if not pairs:
            raise InputError(f"the train part of {data} has no pair of {PIVOT} and {language}; check --languages")
        divide = partial(divided, tokenizer=tokenizer)
        one = texts_of([divide(english, PIVOT) for english, _ in pairs])
        other = texts_of([divide(foreign, language) for _, foreign in pairs])
        least = LEAST_SHARE_UNSPACED if language in UNSPACED_LANGUAGES else LEAST_SHARE
        for a, b in best_pairs(one, other, least):
            rows[one.forms[a].lower()].setdefault(PIVOT, one.forms[a])
            rows[one.forms[a].lower()][language] = other.forms[b]
    return rows


def variants(row: dict[str, str]) -> Iterator[dict[str, str]]:
    """The words of a row as they are, with a capital, and as a sentence."""
    capitals = {language: with_capital(word) or word for language, word in row.items()}
    stopped = {language: word + STOPS.get(language, ".") for language, word in capitals.items()}
    seen = list[dict[str, str]]()
    for variant in (row, capitals, stopped):
        if variant not in seen:
            seen.append(variant)
            yield variant


def write(file: Path, rows: Iterable[dict[str, str]], languages: Sequence[str]) -> None:
    """A table with a column for each language."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, languages, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@click.command()
@click.argument("data")
@click.option("--languages", default="de,es,fr,ja,nl", show_default=True, help="Beside English.")
@click.option("--tokenizer", type=click.Path(exists=True, path_type=Path), help="For languages without spaces.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of train.tsv.")
@click.option("--test", type=click.Path(path_type=Path), help="Folder of a test.tsv with every 20th word, held out.")
def main(data: str, languages: str, tokenizer: Path | None, out: Path, test: Path | None) -> None:
    """Write pairs of words from the sentences of the train part of DATA, a source as --data of `train`."""
    columns = languages.split(",")
    try:
        rows = rows_of(data, Tokenizer.load(tokenizer) if tokenizer else None, columns)
    except InputError as e:
        raise click.UsageError(str(e)) from None
    held = {word for word in rows if test and hashlib.sha256(word.encode()).digest()[0] < TEST_SHARE * 256}
    write(
        out / "train.tsv",
        (v for word, row in sorted(rows.items()) if word not in held for v in variants(row)),
        [PIVOT, *columns],
    )
    if test:
        write(test / "test.tsv", (row for word, row in sorted(rows.items()) if word in held), [PIVOT, *columns])
    click.echo(
        f"{len(rows):,} words of {PIVOT}; " + ", ".join(f"{c} {sum(c in r for r in rows.values()):,}" for c in columns)
    )


if __name__ == "__main__":
    main()
