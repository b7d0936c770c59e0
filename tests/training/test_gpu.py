"""What only a GPU computes: bfloat16, cuDNN, the fused optimizer and copies from pinned memory, and as the CPU does."""

from pathlib import Path
from typing import Any

import pytest
import torch
from reversal_task import DIRECTION, chosen, corpus, silent
from torch import nn

from seq2seq.folder import checkpoint, layout
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer
from seq2seq.translation.translator import LineTranslator

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU, or this torch was built without CUDA"),
]
TEXT = corpus(200, 12)
MODEL = {"embedding": 32, "encoder_hidden": [32, 32], "hidden": 64, "context": "general", "dropout": 0.0}


def begin(folder: Path, device: str, **training: Any) -> Trainer:
    """A run of six updates on a device."""
    options = {"updates": 6, "validate_every": 3, "batch_tokens": 400, "clip": 0.0, **training}
    resolved = chosen(options, {**MODEL, "readout_dropout": 0.0})
    tokenizers = prepare(resolved, {DIRECTION: TEXT}, silent)
    trainer = Trainer(resolved, {DIRECTION: TEXT}, tokenizers, folder, device, silent)
    layout.save_settings(folder, resolved._asdict(), *tokenizers)
    return trainer


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    """Of the run's first update."""
    batches = [list(trainer.data.load_epoch(0)[0])]
    trainer.training_step.workers.gradient(0, 1, sum(len(trainer.data.tgt[row]) + 1 for row in batches[0]), batches)
    return {name: p.grad.cpu() for name, p in trainer.model.named_parameters() if p.grad is not None}


def test_training_on_a_gpu(tmp_path: Path) -> None:
    """In one test, which takes the seconds that CUDA needs to start only once."""
    trainer = begin(tmp_path / "bf16", "cuda", precision="bf16")
    dtypes = set[torch.dtype]()
    linear = next(module for module in trainer.model.modules() if isinstance(module, nn.Linear))
    linear.register_forward_hook(lambda module, inputs, output: dtypes.add(output.dtype))
    batch = trainer.data.batch(list(trainer.data.load_epoch(0)[0]))
    assert all(tensor.is_pinned() for tensor in batch.pinned()[:5])
    assert all(tensor.is_cuda for tensor in batch.to("cuda")[:5])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        trainer.run(quiet=True)
    operations = " ".join(event.key for event in profile.key_averages())
    assert torch.bfloat16 in dtypes
    for name in ("_cudnn_rnn", "_cudnn_rnn_backward", "_fused_adamw_", "pin_memory"):
        assert name in operations, name
    assert all(weight.is_cuda and weight.dtype == torch.float32 for weight in trainer.weights.values())

    exact, on_gpu, rounded = (
        gradients(begin(tmp_path / "gradients", device, precision=precision))
        for device, precision in (("cpu", "fp32"), ("cuda", "fp32"), ("cuda", "bf16"))
    )
    for name, gradient in exact.items():
        torch.testing.assert_close(on_gpu[name], gradient, rtol=0.02, atol=0.02 * gradient.abs().max().item())
        torch.testing.assert_close(rounded[name], gradient, rtol=0.1, atol=0.1 * gradient.abs().max().item())

    resumed = begin(tmp_path / "bf16", "cuda", precision="bf16", updates=9)
    resumed.restore()
    assert resumed.progress.step == 6
    resumed.run(quiet=True)
    assert resumed.progress.step == 9
    src, tgt = [pair.src for pair in TEXT.dev], [pair.tgt for pair in TEXT.dev]
    scores = []
    for device in ("cpu", "cuda"):
        bundle = checkpoint.load_model(tmp_path / "bf16", device)
        translator = LineTranslator(bundle, bundle.search)
        assert len(translator.translate(src)) == len(src)
        scores.append(translator.log_probs(src, tgt))
    assert scores[1] == pytest.approx(scores[0], rel=0.01)
