"""The training loss of a batch under teacher forcing, and its gradient.

    L = cross-entropy with label smoothing, summed over target tokens
    L + w consistency                   R-Drop: the divergence of two passes with different dropout (Liang et al. 2021)
    L + w coverage                      attention to the same positions again (See et al. 2017)

Of a model that copies, L has the probabilities of the mixture; label smoothing and R-Drop are for its softmax alone.
With sampled softmax L's sums over the vocabulary are estimated from a part of it (Jean et al. 2015), but for the last
fifth of the run, which makes good what the estimate misses.
With scheduled sampling the decoder reads some of its own predictions in place of the reference (Bengio et al. 2015).
"""

import torch
from torch import Tensor

from seq2seq.errors import InputError
from seq2seq.network.loss import Sample, consistency, coverage, cross_entropy, sample_vocabulary
from seq2seq.network.model import Model
from seq2seq.training.collation import Batch
from seq2seq.training.optimization import TrainingConfig, autocast

SAMPLED = 0.8  # share of the updates, from the first, in which a sampled softmax is sampled


class Objective:
    """The loss of a model as the settings define it.

    Raises:
        InputError: the settings do not fit the model.
    """

    def __init__(self, model: Model, config: TrainingConfig, device: str) -> None:
        if config.coverage and model.decoder.context.fixed:
            raise InputError(
                f"training.coverage counts attention, which model.context = '{model.config.context}' does not have; "
                "leave it out, or take another context"
            )
        if config.consistency and config.sampled_softmax < 1.0:
            raise InputError(
                "training.consistency compares the whole distributions of two passes, of which "
                f"training.sampled_softmax = {config.sampled_softmax} computes a part; set one of them alone"
            )
        self.model, self.config, self.device = model, config, device

    def backward(self, batch: Batch, tokens: int, elapsed: float) -> float:
        """Add the gradient of the batch's loss, divided by `tokens`, to the `grad` of each parameter.

        Args:
            tokens: target tokens of the whole update.
            elapsed: share of the run's updates that are done, 0 to 1.

        Returns:
            The cross-entropy of the batch in nats, without smoothing, summed over its target tokens.
        """
        config, batch = self.config, batch.to(self.device)
        passes = 2 if config.consistency else 1
        batch = batch.duplicate() if config.consistency else batch
        targets = batch.tgt_out[batch.tgt_mask]
        sample = self.sample(targets, batch.src[batch.src_mask], elapsed)
        with autocast(config.precision, self.device):
            tgt_in = self.decoder_input(batch, elapsed)
            forced = self.model(batch.src, batch.src_mask, tgt_in, batch.tgt_mask, sample and sample.tokens)
            mixture = self.model.mixture(forced, targets)
        places, weights = (sample.targets, sample.weights) if sample else (targets, None)
        logits = forced.logits[: len(targets)] if config.consistency else forced.logits
        # Of logits in bfloat16 the gradient is scaled in its blocks; in single precision in a pass of its own, so that
        # runs have the weights that they had before.
        scale = 1.0 / (passes * tokens)
        early, late = (scale, 1.0) if logits.dtype == torch.bfloat16 else (1.0, scale)
        loss = cross_entropy(logits, places, config.label_smoothing, mixture, weights, early)
        total = late * loss.smoothed
        if config.consistency:
            total = total + config.consistency * consistency(logits) / tokens
        if config.coverage:
            total = total + config.coverage / passes * coverage(forced.weights, batch.tgt_mask) / tokens
        total.backward()
        return loss.nats.item() / passes

    def sample(self, targets: Tensor, sources: Tensor, elapsed: float) -> Sample | None:
        """The part of the vocabulary that the softmax sums over; None: all of it.

        With one table for both sides it has the source tokens, too: the lexical layer proposes them as they stand, so
        they are likely.

        Args:
            targets: (N,), of the batch.
            sources: (M,), of the batch.
            elapsed: share of the run's updates that are done, 0 to 1.
        """
        if self.config.sampled_softmax == 1.0 or elapsed > SAMPLED:
            return None
        vocabulary = self.model.output.out_features
        shared = self.model.config.tied == "all"
        likely = sources[sources < vocabulary] if shared else sources[:0]
        return sample_vocabulary(targets, likely, vocabulary, self.config.sampled_softmax)

    def decoder_input(self, batch: Batch, elapsed: float) -> Tensor:
        """The tokens (B, T) that the decoder reads: the reference or, with scheduled sampling, partly predictions.

        Predictions come from a first pass over the whole sentence (Mihaylova & Martins 2019), so nothing loops over
        time. A token is replaced with probability `training.scheduled_sampling` * elapsed.
        """
        share = self.config.scheduled_sampling * elapsed
        if share == 0.0:
            return batch.tgt_in
        with torch.no_grad():
            logits, _ = self.model.advance(batch.tgt_in, self.model.start(batch.src, batch.src_mask))
        predicted = torch.cat((batch.tgt_in[:, :1], logits[:, :-1].argmax(-1)), dim=1)
        replaced = (torch.rand(predicted.shape, device=predicted.device) < share) & batch.tgt_mask
        replaced[:, 0] = False  # every sentence begins with bos
        return torch.where(replaced, predicted, batch.tgt_in)
