"""What an update descends: of a batch, its part of the mean loss of a token, by teacher forcing.

    loss                    cross-entropy with label smoothing
    loss + w consistency    R-Drop: two passes, and how far they disagree (Liang et al. 2021)

With scheduled sampling the decoder reads its own predictions in parts (Bengio et al. 2015).
"""

import torch
from torch import Tensor

from seq2seq.network.loss import consistency, cross_entropy
from seq2seq.network.model import Model
from seq2seq.training.collation import Batch
from seq2seq.training.optimization import TrainingConfig, autocast


class Objective:
    """Gradients of a model's weights."""

    def __init__(self, model: Model, config: TrainingConfig, device: str) -> None:
        self.model, self.config, self.device = model, config, device

    def backward(self, batch: Batch, tokens: int, done: float) -> float:
        """Add a batch's part of the gradient of an update of `tokens`, `done` of the run over; returns its nats."""
        config, batch = self.config, batch.to(self.device)
        passes = 2 if config.consistency else 1
        batch = batch.twice() if config.consistency else batch
        with autocast(config.precision, self.device):
            logits = self.model(batch.src, batch.src_mask, self.tgt_in(batch, done), batch.tgt_mask)
        loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], config.label_smoothing)
        total = loss.smoothed / passes
        if config.consistency:
            total = total + config.consistency * consistency(logits)
        (total / tokens).backward()
        return loss.nats.item() / passes

    def tgt_in(self, batch: Batch, done: float) -> Tensor:
        """What the decoder reads: the reference, or with scheduled sampling in parts its own predictions.

        In two passes over whole sentences (Mihaylova & Martins 2019), so nothing loops over time.
        """
        share = self.config.scheduled_sampling * done
        if share == 0.0:
            return batch.tgt_in
        with torch.no_grad():
            logits, _ = self.model.advance(batch.tgt_in, self.model.start(batch.src, batch.src_mask))
        own = torch.cat((batch.tgt_in[:, :1], logits[:, :-1].argmax(-1)), dim=1)
        taken = (torch.rand(own.shape, device=own.device) < share) & batch.tgt_mask
        taken[:, 0] = False  # every sentence begins with bos
        return torch.where(taken, own, batch.tgt_in)
