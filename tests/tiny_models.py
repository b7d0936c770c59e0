"""Small models and batches that the tests of the network share: float64, in evaluation mode, no bias at zero."""

import itertools
from typing import Any, NamedTuple, TypeVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from seq2seq.network.attention import CONTEXTS
from seq2seq.network.cells import CELLS
from seq2seq.network.loss import Loss, cross_entropy
from seq2seq.network.model import Model, ModelConfig

every_cell = pytest.mark.parametrize("cell", list(CELLS))
every_context = pytest.mark.parametrize("context", list(CONTEXTS))
every_pair = pytest.mark.parametrize(("cell", "context"), list(itertools.product(CELLS, CONTEXTS)))
# Contexts with settings of the model beside them, for `tiny` and `setup`.
VARIANTS = [("gru", "multihead+copy"), ("lstm", "additive+copy+coverage")]
every_model = pytest.mark.parametrize(("cell", "context"), [*itertools.product(CELLS, CONTEXTS), *VARIANTS])

VOCABULARY, SPECIAL = 13, 3
# Two directions of different size, two layers on both sides; `dot` needs 5 + 3 = 8, and two heads divide it.
TINY = {
    "embedding": 6,
    "encoder_hidden": (5, 3),
    "encoder_layers": 2,
    "hidden": 8,
    "decoder_layers": 2,
    "heads": 2,
    "attention": 6,
}

M = TypeVar("M", bound=nn.Module)
Pair = tuple[Tensor, Tensor]  # a source and a target sentence, (S,) and (T + 1,)


class Batch(NamedTuple):
    src: Tensor
    src_mask: Tensor
    tgt_in: Tensor
    tgt_out: Tensor
    tgt_mask: Tensor


def close(actual: Any, expected: Any) -> None:
    """Assert equality up to rounding in float64."""
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-12)


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers in float64, the same at every call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shaken(module: M, seed: int = 1) -> M:
    """The module in float64, in evaluation mode, with noise on every weight: no zero bias, no orthogonal block."""
    with torch.no_grad():
        for i, weight in enumerate(module.double().eval().parameters()):
            weight += 0.3 * draw(*weight.shape, seed=1000 * seed + i)
    return module


def setup(cell: str, context: str) -> dict[str, Any]:
    """The settings of a cell and a context, or a variant of it."""
    name, *more = context.split("+")
    return {"cell": cell, "context": name, **dict.fromkeys(more, True)}


def tiny(cell: str = "gru", context: str = "general", **settings: Any) -> Model:
    torch.manual_seed(0)
    config = ModelConfig(**{**TINY, **setup(cell, context), **settings})
    return shaken(Model(config, VOCABULARY, VOCABULARY, SPECIAL))


def sentences(src: tuple[int, ...] = (4, 7, 1, 5), tgt: tuple[int, ...] = (6, 2, 5, 1)) -> list[Pair]:
    """Random pairs with these numbers of tokens, sorted by neither side, without id 0."""
    ids = torch.Generator().manual_seed(2)
    return [
        (torch.randint(1, VOCABULARY, (s,), generator=ids), torch.randint(1, VOCABULARY, (t + 1,), generator=ids))
        for s, t in zip(src, tgt, strict=True)
    ]


def together(pairs: list[Pair], padding: int = 0) -> Batch:
    """The pairs as one batch; `padding` is the id at padded positions."""

    def padded(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
        mask = pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in rows], batch_first=True)
        return pad_sequence(rows, batch_first=True, padding_value=padding), mask

    src, src_mask = padded([src for src, _ in pairs])
    tgt_in, tgt_mask = padded([tgt[:-1] for _, tgt in pairs])
    tgt_out, _ = padded([tgt[1:] for _, tgt in pairs])
    return Batch(src, src_mask, tgt_in, tgt_out, tgt_mask)


def teacher_forced(model: Model, b: Batch) -> Tensor:
    """Logits (N, V) at the real positions; of a model that copies, log p."""
    forced = model(b.src, b.src_mask, b.tgt_in, b.tgt_mask)
    logits = forced.logits[: len(forced.features)]
    if model.pointer is None:
        return logits
    return model.pointer.mix(forced.features, torch.log_softmax(logits, -1), forced.copies)


def logits(model: Model, pairs: list[Pair], padding: int = 0) -> list[Tensor]:
    """Teacher forcing on one batch: the logits (T, V) of each sentence."""
    return list(teacher_forced(model, together(pairs, padding)).split([len(tgt) - 1 for _, tgt in pairs]))


def loss(model: Model, b: Batch, smoothing: float = 0.1) -> Loss:
    forced, targets = model(b.src, b.src_mask, b.tgt_in, b.tgt_mask), b.tgt_out[b.tgt_mask]
    return cross_entropy(forced.logits, targets, smoothing, model.mixture(forced, targets))


def gradients(model: Model, b: Batch) -> dict[str, Tensor]:
    """The gradient of the summed loss for every parameter, by name."""
    names, weights = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss(model, b).smoothed, weights), strict=True))
