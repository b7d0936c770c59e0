"""Pre-trained word vectors: skip-gram or CBOW with negative sampling (Mikolov et al. 2013), computed by gensim.

They are learnt from each token and its WINDOW neighbours on both sides. This module knows ids, but not text or models.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import InputError

WINDOW, NEGATIVE, EPOCHS = 5, 5, 10


def learn(sentences: Iterable[Sequence[int]], vocabulary: int, size: int, kind: str, seed: int) -> NDArray[np.float32]:
    """Vectors (V, E) of all tokens; the same sentences and seed give the same bytes.

    The vectors have mean 0 and standard deviation E ** -0.5, like randomly initialised embeddings. Tokens that occur in
    no sentence have random vectors.

    Args:
        sentences: ids below V.
        vocabulary: V.
        size: E.
        kind: "skipgram" or "cbow".
        seed: of gensim and of the random vectors.

    Raises:
        InputError: gensim is not installed.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise InputError(
            f"training.word_vectors = '{kind}' needs the package gensim; install it: pip install 'seq2seq[vectors]'"
        ) from None
    model = Word2Vec(
        [list(map(str, ids)) for ids in sentences],
        vector_size=size,
        window=WINDOW,
        sg=int(kind == "skipgram"),
        negative=NEGATIVE,
        epochs=EPOCHS,
        min_count=1,
        workers=1,  # with more, the order of updates and so the result would vary
        seed=seed,
    )
    vectors = np.random.default_rng(seed).standard_normal((vocabulary, size)).astype(np.float32)
    known = np.array([int(token) for token in model.wv.index_to_key], np.int64)
    learnt = model.wv.vectors - model.wv.vectors.mean(0)
    vectors[known] = learnt / learnt.std()
    return vectors * np.float32(size**-0.5)
