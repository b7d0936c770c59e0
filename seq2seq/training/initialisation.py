"""Embeddings of a new model initialised with word vectors, learnt from text in one language (see `text.vectors`)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from seq2seq.network.model import Model
from seq2seq.text.sources import read_lines
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.text.vectors import learn
from seq2seq.training.optimization import TrainingConfig


def load_word_vectors(
    model: Model,
    tokenizers: tuple[Tokenizer, Tokenizer],
    lines: tuple[Sequence[str], Sequence[str]],
    config: TrainingConfig,
    say: Callable[[str], None],
) -> None:
    """Set both embeddings to word vectors of kind `training.word_vectors`, which is not "random".

    They are learnt from each side of the training pairs, `lines`, and from the file `training.word_vectors_text`; from
    both sides together if both languages share one table.

    Raises:
        InputError: gensim is not installed, or the file cannot be read.
    """
    kind, extra = config.word_vectors, config.word_vectors_text
    more = read_lines(Path(extra)) if extra else []
    sides = [
        [*tokenizer.encode(text), *tokenizer.encode(more)] for tokenizer, text in zip(tokenizers, lines, strict=True)
    ]
    if model.config.tied == "all":
        sides = [[*sides[0], *sides[1]]]
    embeddings = (model.tgt_embedding, model.src_embedding)[: len(sides)]
    for embedding, sentences in zip(embeddings, reversed(sides), strict=True):
        say(f"learning word vectors ({kind}) from {len(sentences):,} sentences")
        vocabulary, size = embedding.table.weight.shape
        vectors = learn(sentences, vocabulary, size, kind, config.seed)
        with torch.no_grad():
            embedding.table.weight.copy_(torch.from_numpy(vectors))
