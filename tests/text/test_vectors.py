"""Word vectors: tokens with the same neighbours have similar vectors, and training can start from the vectors."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from reversal_task import begin, chosen, corpus, resumed

from seq2seq.errors import InputError
from seq2seq.text.vectors import learn
from seq2seq.training import initialisation

# 10 and 11 occur among 3 to 6, 12 and 13 among 7 to 9; 14 does not occur.
RNG = np.random.default_rng(0)
SENTENCES = [
    [*RNG.choice(around, 3), RNG.choice(pair), *RNG.choice(around, 3)]
    for _ in range(600)
    for around, pair in (((3, 4, 5, 6), (10, 11)), ((7, 8, 9), (12, 13)))
]


@pytest.fixture(scope="module", params=["skipgram", "cbow"])
def vectors(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    return learn(SENTENCES, 15, 16, request.param, seed=3)


def cosine(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


def test_tokens_with_the_same_neighbours_have_similar_vectors(vectors: NDArray[np.float32]) -> None:
    for token, similar, different in ((10, 11, 12), (11, 10, 13), (12, 13, 10), (13, 12, 11), (3, 6, 8)):
        assert cosine(vectors[token], vectors[similar]) > 0.3 + cosine(vectors[token], vectors[different])


def test_vectors_have_the_scale_of_embeddings(vectors: NDArray[np.float32]) -> None:
    assert vectors.shape == (15, 16)
    assert vectors.dtype == np.float32
    assert vectors[3:14].std() == pytest.approx(16**-0.5, rel=1e-3)
    assert vectors[3:14].mean() == pytest.approx(0.0, abs=1e-3)
    assert 0.1 < vectors[14].std() < 0.5


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, same, other = (learn(SENTENCES[:50], 15, 8, "skipgram", seed) for seed in (3, 3, 4))
    assert (one == same).all()
    assert not (one == other).all()


@pytest.mark.parametrize("tied", ["all", "target", "none"])
def test_training_starts_from_the_vectors(tmp_path: Path, tied: str) -> None:
    text, more = corpus(60, 4), tmp_path / "more"
    more.write_text("1 2 3\n4 5 6\n")
    settings = chosen({"word_vectors": "cbow", "word_vectors_text": str(more), "seed": 5}, {"tied": tied})
    trainer = begin(tmp_path / "run", settings, text)
    trainer.begin()
    tokenizer = trainer.tokenizers[0]
    src, tgt = (tokenizer.encode([*(pair[i] for pair in text.train), "1 2 3", "4 5 6"]) for i in (0, 1))
    for embedding, sentences in ((trainer.model.src_embedding, src), (trainer.model.tgt_embedding, tgt)):
        expected = learn([*src, *tgt] if tied == "all" else sentences, len(tokenizer), 6, "cbow", 5)
        assert torch.equal(embedding.table.weight.detach(), torch.from_numpy(expected))
    names = [name for name in trainer.weights if name.endswith("table.weight")]
    assert all(torch.equal(trainer.state.average[name], trainer.weights[name]) for name in names)


def test_a_resumed_run_does_not_learn_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, settings = corpus(60, 4), chosen({"word_vectors": "skipgram"})
    trainer = begin(tmp_path, settings, text)
    trainer.begin()
    trainer.run(quiet=True)
    monkeypatch.setattr(initialisation, "learn", None)
    resumed(tmp_path, text, {"epochs": 3}).run(quiet=True)


def test_a_missing_file_or_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = begin(tmp_path, chosen({"word_vectors": "skipgram", "word_vectors_text": "nosuch"}), corpus(20, 2))
    with pytest.raises(InputError, match="nosuch"):
        trainer.begin()
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(InputError, match=r"pip install 'seq2seq\[vectors\]'"):
        learn(SENTENCES, 15, 8, "cbow", 1)
