"""The arithmetic that a sentence needs, compared with what torch counts."""

import pytest
import torch
from tiny_models import every_pair, tiny
from torch.utils.flop_counter import FlopCounterMode

from seq2seq.reporting.training_speed import forward_flops


@every_pair
def test_forward_flops_are_those_that_torch_counts(cell: str, context: str) -> None:
    """Where torch does not count the products inside a cell, because they are fused, they are added here."""
    model, (s, t) = tiny(cell, context), (5, 7)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        mask = torch.ones(1, s, dtype=torch.bool)
        model(torch.ones(1, s, dtype=torch.int64), mask, torch.ones(1, t, dtype=torch.int64), torch.ones(1, t) > 0)
    layers = [(layer, s) for layer in model.encoder.layers] + [(model.decoder.layers, t)]
    fused = 2 * sum(n * w.numel() for layer, n in layers for w in layer.parameters() if w.ndim == 2)
    slots = 1 if context == "last" else s
    # A fixed context is averaged at every step, twice, and its lexical part once; once per sentence would do.
    averaging = 2 * t * slots * (2 * 8 + 6) if model.decoder.context.fixed else 0
    counted = counter.get_total_flops()
    assert forward_flops(model, s, t) == pytest.approx(counted + (fused if counted < fused else 0) - averaging)
