"""The text of a run as the model reads it: tokenizers, training data and dev pairs, of one direction or of several.

This module does not know files, nor how a model is trained.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from seq2seq.errors import InputError
from seq2seq.text.directions import Direction, EpochRows
from seq2seq.text.mapped import Joined, distinct, side
from seq2seq.text.multilingual import Corpora
from seq2seq.text.name_learning import learn_names
from seq2seq.text.preparation import reading, varied
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.epochs import Kept, Mixture, TrainingData
from seq2seq.training.mapped_rows import learnt_once, prepared, training_rows
from seq2seq.training.settings import Settings
from seq2seq.translation.bundle import reading_for

DEV_PAIRS = 2000  # that a validation of several directions scores by default


def prepare(settings: Settings, corpora: Corpora, say: Callable[[str], None]) -> tuple[Tokenizer, Tokenizer]:
    """The source and the target tokenizer of a new run, learnt from the training text, and its known words.

    A joint tokenizer is sorted so that the target vocabulary is its first N pieces. Of many languages, whose sentences
    are in several pairs, each line is read once.
    """
    config, is_multilingual = settings.tokenizer, bool(settings.data.languages)
    known = [asdict(config), asdict(replace(settings.text, longest=0)), is_multilingual, "with known words"]
    return learnt_once(corpora, known, lambda notice: _learn(settings, corpora, notice), say)


def _learn(settings: Settings, corpora: Corpora, notice: Callable[[str], None]) -> tuple[Tokenizer, Tokenizer]:
    texts = [
        prepared(corpus.train, reading(settings.text, *direction, settings.tokenizer.placeholders))
        for direction, corpus in corpora.items()
    ]
    joined = [Joined([side(pairs, number) for pairs in texts]) for number in (0, 1)]
    sides: list[Sequence[str]] = [*joined]
    both: Sequence[str] = Joined(sides)
    config, languages = settings.tokenizer, list[str]()
    if settings.data.languages:
        languages = list(dict.fromkeys(tgt for _, tgt in corpora))
        sides, both = list(map(distinct, joined)), distinct(Joined([*joined[0].parts, *joined[1].parts]))
    if config.joint:
        src_tokenizer, count = Tokenizer.learn(both, config, notice, languages).sorted_for(sides[1], config.kind)
        tgt_tokenizer = src_tokenizer.first(count)
    else:
        src_tokenizer, tgt_tokenizer = (Tokenizer.learn(side, config, notice, languages) for side in sides)
    if settings.text.keep and settings.text.names and config.placeholders:
        known = learn_names({direction: corpus.train for direction, corpus in corpora.items()})
        src_tokenizer.known_words = known if known.kept else None
    return src_tokenizer, tgt_tokenizer


def epoch_rows(settings: Settings, corpora: Corpora) -> EpochRows:
    """Which training pairs of all directions, in turn, an epoch reads."""
    sizes = [len(corpus.train) + len(corpus.synthetic) for corpus in corpora.values()]
    weights = [
        np.concatenate([corpus.weights or np.ones(len(corpus.train)), np.ones(len(corpus.synthetic))])
        for corpus in corpora.values()
    ]
    temperature = settings.data.temperature if len(corpora) > 1 else 1.0
    return EpochRows(sizes, temperature, settings.training.seed, np.concatenate(weights))


def training_data(settings: Settings, corpora: Corpora, tokenizers: tuple[Tokenizer, Tokenizer]) -> TrainingData:
    """The training pairs of all directions.

    Raises:
        InputError: the tokenizers, those of a model of many languages, have no token for a language.
    """
    seed, mixture = settings.training.seed, None
    if settings.data.languages or tokenizers[0].languages:
        known = tokenizers[0].languages
        if lacking := [tgt for _, tgt in corpora if tgt not in known]:
            advice = "train a new model, or translate to those (--directions)"
            if not known:
                advice = "its model has one direction: give --src and --tgt in place of --langs, or train a new model"
            has = ", ".join(known) or "none"
            raise InputError(f"the tokenizer has no token for the language {lacking[0]}, only for {has}; {advice}")
        counts = [len(text.train) + len(text.synthetic) for text in corpora.values()]
        tokens = np.repeat(np.array([known[tgt] for _, tgt in corpora], np.int32), counts)
        mixture = Mixture(epoch_rows(settings, corpora), tokens)
    elif any(corpus.weights for corpus in corpora.values()):
        mixture = Mixture(epoch_rows(settings, corpora))
    readings = [reading_for(tokenizers, settings.text, *direction) for direction in corpora]
    sampling, batch_tokens = settings.tokenizer.sampling, settings.training.batch_tokens
    writes = settings.data.right_to_left
    if mapped := training_rows(settings, corpora, tokenizers, readings):
        kept = Kept(mapped.encoded, mapped.epoch, mapped.fingerprint)
        return TrainingData(mapped.pairs, tokenizers, sampling, seed, batch_tokens, mixture, writes, kept)
    pairs = list[Pair]()
    for number, (corpus, how) in enumerate(zip(corpora.values(), readings, strict=True)):
        new = Joined([corpus.train, corpus.synthetic])
        pairs += varied(new, how, settings.text, seed, number) if how else new
    return TrainingData(pairs, tokenizers, sampling, seed, batch_tokens, mixture, writes)


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
