"""What an update descends: of a batch, its part of the mean loss of a token, by teacher forcing.

    loss                        cross-entropy with label smoothing
    loss + w consistency        R-Drop: two passes, and how far they disagree (Liang et al. 2021)
    loss + w risk               behind all others: own translations and how bad they are; see `seq2seq.risk`

With scheduled sampling the decoder reads its own predictions in parts (Bengio et al. 2015).
"""

import torch
from torch import Tensor

from seq2seq.collation import Batch
from seq2seq.loss import consistency, cross_entropy
from seq2seq.model import Model
from seq2seq.optimization import TrainingConfig, autocast
from seq2seq.risk import candidates, expected
from seq2seq.tokenizer import Tokenizer
from seq2seq.workers import Share


class Objective:
    """Gradients of a model's weights; `tokenizer` is the target's."""

    def __init__(self, model: Model, config: TrainingConfig, tokenizer: Tokenizer, device: str) -> None:
        self.model, self.config, self.tokenizer, self.device = model, config, tokenizer, device

    def teacher_forced(self, batch: Batch, share: Share, done: float) -> float:
        """Add the gradient of a batch of a share, with so much of the run done; returns its summed nats."""
        config, batch = self.config, batch.to(self.device)
        passes = 2 if config.consistency else 1
        batch = batch.twice() if config.consistency else batch
        with autocast(config.precision, self.device):
            logits = self.model(batch.src, batch.src_mask, self.tgt_in(batch, done), batch.tgt_mask)
        loss = cross_entropy(logits, batch.tgt_out[batch.tgt_mask], config.label_smoothing)
        total = loss.smoothed / passes
        if config.consistency:
            total = total + config.consistency * consistency(logits)
        (total / share.tokens).backward()
        return loss.nats.item() / passes

    def with_risk(self, batch: Batch, share: Share) -> float:
        """The same, of the loss of the references and the risk of `candidates` own translations of each source."""
        config = self.config
        own = candidates(self.model, batch.to(self.device), self.tokenizer, config.candidates)
        batch = own.batch
        with autocast(config.precision, self.device):
            logits = self.model(batch.src, batch.src_mask, batch.tgt_in, batch.tgt_mask)
        rows = torch.arange(len(batch.tgt_mask), device=batch.src.device)
        of_reference = (rows % (1 + config.candidates) == 0)[:, None].expand_as(batch.tgt_mask)[batch.tgt_mask]
        targets = batch.tgt_out[batch.tgt_mask][of_reference]
        loss = cross_entropy(logits[of_reference], targets, config.label_smoothing)
        risk = expected(logits[~of_reference], own)
        (loss.smoothed / share.tokens + config.risk * risk / share.sentences).backward()
        return loss.nats.item()

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
