"""The text of a run as the model reads it: tokenizers, training data and dev pairs, of one direction or of several.

This module does not know files, nor how a model is trained.
"""

from collections.abc import Callable, Sequence

import numpy as np

from seq2seq.errors import InputError
from seq2seq.text.directions import Direction, EpochRows
from seq2seq.text.multilingual import Corpora
from seq2seq.text.preparation import prepared, reading, varied
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.epochs import Mixture, TrainingData
from seq2seq.training.settings import Settings
from seq2seq.translation.bundle import reading_for

DEV_PAIRS = 2000  # that a validation of several directions scores by default


def prepare(settings: Settings, corpora: Corpora, say: Callable[[str], None]) -> tuple[Tokenizer, Tokenizer]:
    """The source and the target tokenizer of a new run, learnt from the training text.

    A joint tokenizer is sorted so that the target vocabulary is its first N pieces. Of many languages, whose sentences
    are in several pairs, each line is read once.
    """
    sides: tuple[list[str], list[str]] = [], []
    for (src, tgt), corpus in corpora.items():
        how = reading(settings.text, src, tgt, settings.tokenizer.placeholders)
        pairs = prepared(corpus.train, how)
        sides[0].extend(pair.src for pair in pairs)
        sides[1].extend(pair.tgt for pair in pairs)
    config, languages, both = settings.tokenizer, list[str](), [*sides[0], *sides[1]]
    if settings.data.languages:
        languages = list(dict.fromkeys(tgt for _, tgt in corpora))
        sides, both = (_distinct(sides[0]), _distinct(sides[1])), _distinct(both)
    if config.joint:
        joint, count = Tokenizer.learn(both, config, say, languages).sorted_for(sides[1], config.kind)
        return joint, joint.first(count)
    src_tokenizer, tgt_tokenizer = (Tokenizer.learn(side, config, say, languages) for side in sides)
    return src_tokenizer, tgt_tokenizer


def epoch_rows(settings: Settings, corpora: Corpora) -> EpochRows:
    """Which training pairs of all directions, in turn, an epoch reads."""
    sizes = [len(corpus.train) + len(corpus.synthetic) for corpus in corpora.values()]
    weights = list[float]()
    for corpus in corpora.values():
        weights += [*(corpus.weights or [1.0] * len(corpus.train)), *[1.0] * len(corpus.synthetic)]
    temperature = settings.data.temperature if len(corpora) > 1 else 1.0
    return EpochRows(sizes, temperature, settings.training.seed, weights)


def training_data(settings: Settings, corpora: Corpora, tokenizers: tuple[Tokenizer, Tokenizer]) -> TrainingData:
    """The training pairs of all directions.

    Raises:
        InputError: the tokenizers, those of a model of many languages, have no token for a language.
    """
    seed, pairs = settings.training.seed, list[Pair]()
    for number, (direction, corpus) in enumerate(corpora.items()):
        new: Sequence[Pair] = [*corpus.train, *corpus.synthetic]
        if how := reading_for(tokenizers, settings.text, *direction):
            new = varied(new, how, settings.text, seed, number)
        pairs += new
    mixture = None
    if settings.data.languages or tokenizers[0].languages:
        known = tokenizers[0].languages
        if lacking := [tgt for _, tgt in corpora if tgt not in known]:
            raise InputError(
                f"the tokenizer has no token for the language {lacking[0]}, only for {', '.join(known) or 'none'}; "
                "train a new model, or translate to those"
            )
        tokens = [known[tgt] for (_, tgt), text in corpora.items() for _ in (*text.train, *text.synthetic)]
        mixture = Mixture(epoch_rows(settings, corpora), np.array(tokens, np.int32))
    elif any(corpus.weights for corpus in corpora.values()):
        mixture = Mixture(epoch_rows(settings, corpora))
    sampling, batch_tokens = settings.tokenizer.sampling, settings.training.batch_tokens
    return TrainingData(pairs, tokenizers, sampling, seed, batch_tokens, mixture, settings.data.right_to_left)


def dev_pairs(corpora: Corpora, most: int) -> dict[Direction, list[Pair]]:
    """The pairs of each direction that a validation scores, evenly spread over its dev part.

    Args:
        corpora: by direction.
        most: pairs of all directions together; 0: all of a single direction, DEV_PAIRS of several.
    """
    if not most and len(corpora) == 1:
        return {direction: corpus.dev for direction, corpus in corpora.items()}
    share = max(1, (most or DEV_PAIRS) // len(corpora))
    return {direction: _spread(corpus.dev, share) for direction, corpus in corpora.items()}


def _spread(pairs: list[Pair], count: int) -> list[Pair]:
    """`count` of the pairs, evenly spread; all of them if there are fewer."""
    return pairs if len(pairs) <= count else [pairs[i * len(pairs) // count] for i in range(count)]


def _distinct(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))
