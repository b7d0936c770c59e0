"""Products in training in bfloat16 have few shapes and give what nn.Linear gives; others are nn.Linear's to the bit."""

from collections.abc import Callable

import pytest
import torch
from tiny_models import sentences, tiny, together
from torch import Tensor, nn
from torch.nn import functional as F

from seq2seq.network import products
from seq2seq.network.products import ROWS, Linear


@pytest.mark.parametrize("shape", [(1, 6), (ROWS, 6), (3, 5, 6), (2, ROWS, 6)])
def test_a_product_in_bfloat16_is_that_of_nn_linear_but_for_rounding(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer, x = Linear(6, 4), torch.randn(shape, requires_grad=True)
    to_output = torch.randn(*shape[:-1], 4)
    results = []
    for linear in (layer, lambda x: F.linear(x, layer.weight, layer.bias)):
        with torch.autocast("cpu", torch.bfloat16):
            output = linear(x)
        leaves = [x, *layer.parameters()]
        results.append([output.float(), *torch.autograd.grad((output.float() * to_output).sum(), leaves)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() <= 0.01 * theirs.norm()


def test_without_autocast_and_without_a_gradient_a_product_is_that_of_nn_linear() -> None:
    layer, x = Linear(6, 4), torch.randn(3, 5, 6)
    plain = nn.Linear(6, 4)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), plain(x))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert torch.equal(layer(x), plain(x))


@pytest.mark.parametrize("context", ["additive", "general", "multihead"])
def test_an_update_in_bfloat16_has_few_shapes_of_products(context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The products with weights have a multiple of ROWS rows, but for scores, which are one number each."""
    counts = list[int]()
    product: Callable[..., Tensor] = F.linear

    def recorded(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if len(weight) > 1:
            counts.append(x.numel() // x.shape[-1])
        return product(x, weight, bias)

    monkeypatch.setattr(products.F, "linear", recorded)
    model, batch = tiny(context=context).float(), together(sentences())
    with torch.autocast("cpu", torch.bfloat16):
        model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask)
    assert len(counts) >= 3
    assert not any(count % ROWS for count in counts)
