"""Sentence pairs as a model reads them: normalised, with numbered pieces for what is kept, and with some variation.

The variation teaches a model what training text has too little of: pieces in the place of words, text in small letters,
sentences without a full stop. This module does not know tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import setting
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.normalisation import VERSION
from seq2seq.segments.pairs import pair_texts, shared_names
from seq2seq.segments.reading import Reading

if TYPE_CHECKING:  # it reads files of many kinds, which translating does not need
    from seq2seq.text.sources import Pair

LONGEST = 200  # source tokens; no sentence of more is translated at once
_SHORTEST = 30  # source tokens; a sentence of so many is never cut
_STOPS = ".。"
_DRAWS = 10  # of each pair


@dataclass(frozen=True)
class TextConfig:
    """How text is read for the model, in training and in translating."""

    normalisation: int = setting(
        VERSION,
        "version of the normalisation of the source: composed characters, plain spaces, quotes and dashes of one form; "
        "0: none",
        low=0,
        high=VERSION,
    )
    keep: bool = setting(True, "placeholders, tags, addresses and numbers are kept as they are")
    sentences: bool = setting(True, "a line of several sentences is translated sentence by sentence")
    longest: int = setting(
        0,
        "longest sentence, in source tokens, that is translated at once; a longer one is cut at clauses; 0: a quarter "
        "longer than 999 of 1,000 training sentences are",
        low=0,
        high=LONGEST,
    )
    names: float = setting(
        0.05,
        "share of the names that stand on both sides of a training pair which a placeholder stands for",
        low=0.0,
        high=1.0,
    )
    lowercase: float = setting(0.05, "share of the training pairs whose source is in small letters", low=0.0, high=1.0)
    unpunctuated: float = setting(
        0.05, "share of the training pairs without the full stop at the end of both sides", low=0.0, high=1.0
    )


def longest_of(lengths: NDArray[np.int64]) -> int:
    """`TextConfig.longest` for training sentences of these lengths in tokens."""
    return int(np.clip(1.25 * np.quantile(lengths, 0.999), _SHORTEST, LONGEST)) if len(lengths) else LONGEST


def reading(config: TextConfig, src: str, tgt: str, placeholders: int) -> Reading:
    """How text from the language `src` to `tgt` is read for a model.

    Args:
        config: the model's settings.
        src, tgt: languages.
        placeholders: how many numbered pieces its tokenizers have.
    """
    keeping = Keeping(src, tgt, nothing=not config.keep, lenient=not placeholders)
    return Reading(src, keeping, config.sentences, config.normalisation, placeholders)


def prepared(pairs: "Sequence[Pair]", how: Reading) -> "list[Pair]":
    """The pairs as a model reads them, without variation: for validation, and for a translation memory."""
    texts = ((pair, pair_texts(pair.src, pair.tgt, how)) for pair in pairs)
    return [pair._replace(src=src, tgt=tgt) for pair, (src, tgt) in texts]


def varied(
    pairs: "Sequence[Pair]",
    how: Reading,
    config: TextConfig,
    seed: int,
    direction: int = 0,
    start: int = 0,
    plain: "Sequence[Pair] | None" = None,
) -> "list[Pair]":
    """Training pairs as a model reads them. The result depends on the arguments alone.

    Args:
        pairs: as they were read.
        how: how they are read for the model.
        config: the shares of what varies.
        seed: of the run.
        direction: number of the pairs' direction, so that those of another vary in other places.
        start: the number of the first pair: all pairs may be varied at once, or some at a time.
        plain: the result of `prepared` for the pairs, if it is known.
    """
    # 0 to 2 are the generators of `seq2seq.training.epochs`, 4 is that of `seq2seq.text.directions`.
    bits = np.random.PCG64((seed, 3, direction))
    rng = np.random.Generator(bits.advance(_DRAWS * start))
    result = []
    for i, pair in enumerate(pairs):
        small, unpunctuated, *draws = rng.random(_DRAWS).tolist()
        names = shared_names(*pair) if how.pieces and config.names and config.keep else []
        chosen = [name for name, draw in zip(names, draws, strict=False) if draw < config.names]
        if chosen:
            patterns = tuple(rf"\b{name}\b" for name in chosen)
            src, tgt = pair_texts(*pair, replace(how, keeping=replace(how.keeping, patterns=patterns)))
        else:
            src, tgt = plain[i] if plain else pair_texts(*pair, how)
        if unpunctuated < config.unpunctuated and src[-1:] in _STOPS and tgt[-1:] in _STOPS and len(src) > 1 < len(tgt):
            src, tgt = src[:-1].rstrip(), tgt[:-1].rstrip()
        result.append(pair._replace(src=src.lower() if small < config.lowercase else src, tgt=tgt))
    return result
