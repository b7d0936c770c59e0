"""The engine that computes trained models in PyTorch; arrays in, arrays out.

Neither the batch nor one or two threads change a bit of a translation or its score (with AVX2 or AVX-512, and layers
whose sizes are multiples of eight): see `padding`.
"""

import math
from functools import reduce
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from seq2seq.network.decoder import State
from seq2seq.network.model import Model
from seq2seq.text.batches import Arrays
from seq2seq.translation.beam import Ids, LogProbs
from seq2seq.translation.bundle import Mask
from seq2seq.translation.nearest_neighbour import Retrieved, TorchDatastore
from seq2seq.translation.padding import ROW_MULTIPLE, pad_positions, pad_rows, smallest_columns, use_strict_products
from seq2seq.translation.search import Proposal
from seq2seq.translation.translation_memory import TranslationMemory


class BatchState(NamedTuple):
    """The state of a batch, with rows of padding up to a multiple of ROW_MULTIPLE."""

    states: tuple[State, ...]  # of each model
    retrieved: tuple[Retrieved | None, ...]  # from each model's datastore; None without a translation memory

    def select(self, rows: Ids) -> "BatchState":
        """The state of rows (B, W), padded; see `seq2seq.translation.search.State`."""
        first = self.states[0]
        padded = pad_rows(
            torch.from_numpy(rows).to(first.weights.device), ROW_MULTIPLE // math.gcd(ROW_MULTIPLE, rows.shape[1])
        )
        sentences = padded[:, 0] // (len(first.weights) // len(first.memory.mask))
        return BatchState(
            tuple(state.select(padded) for state in self.states),
            tuple(retrieved and retrieved.select(sentences) for retrieved in self.retrieved),
        )


class TorchEngine:
    """One model, or an ensemble of models with one vocabulary, on the device where they are.

    An ensemble's p(token) is the mean over its models (Sutskever et al. 2014). With a translation memory each model's
    p(token) is interpolated with that of its nearest neighbours, by `share`; see `nearest_neighbour`.
    """

    remembers = True

    def __init__(self, *models: Model, memory: TranslationMemory | None = None, share: float = 0.0) -> None:
        use_strict_products()
        self.models = models
        self.columns = min(smallest_columns(model.config) for model in models)
        self.datastores = [TorchDatastore(model, memory, share) if memory else None for model in models]
        self.has_memory = memory is not None
        self.device = next(models[0].parameters()).device
        self.aligns = not any(model.decoder.context.fixed for model in models)

    @torch.inference_mode()
    def start(self, src: Ids, mask: Mask) -> BatchState:
        """The state of sentences src (B, S), mask (B, S), before their first token."""
        padded = [self._pad(side) for side in (src, mask)]
        return BatchState(tuple(model.start(*padded) for model in self.models), self._retrieve(*padded))

    @torch.inference_mode()
    def propose(self, tokens: Ids, targets: Ids, state: BatchState, count: int) -> tuple[Proposal, BatchState]:
        """The `count` best next tokens after tokens (B, W); see `seq2seq.translation.bundle.Engine`."""
        rows, sentences = len(state.states[0].weights), len(state.states[0].memory.mask)
        last, target = (pad_rows(torch.from_numpy(x).reshape(-1, 1), rows).to(self.device) for x in (tokens, targets))
        of_models, states = [], []
        for model, before, retrieved in zip(self.models, state.states, state.retrieved, strict=True):
            features, after = model.features(last, before)
            log_probs = model.log_probs(features, after, (slice(None), -1))  # (B * W, V)
            if retrieved:
                log_probs = retrieved.interpolate(log_probs, features[:, -1], [rows // sentences] * sentences)
            of_models.append(log_probs)
            states.append(after)
        log_probs = mean_log_probs(of_models)  # (B * W, V)
        top = log_probs.topk(min(count, log_probs.shape[1]))
        candidates, values, target_log_probs = (
            x[: tokens.size].cpu().numpy().reshape(*tokens.shape, x.shape[1])
            for x in (top.indices, top.values, log_probs.gather(1, target))
        )
        weights = torch.stack([after.weights[: tokens.size, -1] for after in states]).sum(0)
        mask = state.states[0].memory.mask.repeat_interleave(rows // sentences, 0)[: tokens.size]
        before_others = functional.pad(mask[:, 1:], (0, 1))  # EOS comes last: no token comes from it
        source = weights.masked_fill(~before_others, -1.0).argmax(-1).cpu().numpy().reshape(tokens.shape)
        proposal = Proposal(candidates, values, target_log_probs[:, :, 0], source)
        return proposal, state._replace(states=tuple(states))

    @torch.inference_mode()
    def log_probs(self, pairs: Arrays) -> LogProbs:
        """log p(tgt | src) (B,) of each of B pairs in nats, by teacher forcing."""
        src, src_mask, tgt_in, tgt_out, tgt_mask = (self._pad(side) for side in pairs)
        lengths = tgt_mask.sum(1, keepdim=True)
        # The output layer computes the real tokens of each sentence, and padding up to a multiple of rows.
        computed = torch.arange(tgt_mask.shape[1], device=self.device) < lengths + -lengths % ROW_MULTIPLE
        targets = tgt_out[computed][:, None]  # (N, 1)
        of_models = []
        for model, retrieved in zip(self.models, self._retrieve(src, src_mask), strict=True):
            features, after = model.features(tgt_in, model.start(src, src_mask))
            log_probs = model.log_probs(features, after, computed)  # (N, V)
            if retrieved:
                log_probs = retrieved.interpolate(log_probs, features[computed], computed.sum(1).tolist())
            of_models.append(log_probs.gather(1, targets).squeeze(1))
        of_tokens = torch.zeros(computed.shape, dtype=torch.float64, device=self.device)  # (B, T)
        of_tokens[computed] = mean_log_probs(of_models).double()
        totals: LogProbs = of_tokens.masked_fill(~tgt_mask, 0.0)[: len(pairs.src)].sum(1).cpu().numpy()
        return totals

    @torch.inference_mode()
    def attention(self, src: Ids, tgt_in: Ids) -> NDArray[np.float32]:
        """The attention weights (T, S) over src (S,) after each of the tokens tgt_in (T,), the mean of the models'."""
        source, before = (torch.from_numpy(side)[None].to(self.device) for side in (src, tgt_in))
        states = [model.start(source, torch.ones_like(source, dtype=torch.bool)) for model in self.models]
        after = [model.features(before, state)[1] for model, state in zip(self.models, states, strict=True)]
        weights: NDArray[np.float32] = torch.stack([state.weights[0] for state in after]).mean(0).cpu().numpy()
        return weights

    def with_memory(self, memory: TranslationMemory, share: float) -> "TorchEngine":
        """See `seq2seq.translation.bundle.Engine`."""
        return TorchEngine(*self.models, memory=memory, share=share)

    def _pad(self, side: Ids | Mask) -> Tensor:
        return pad_rows(pad_positions(torch.from_numpy(side), self.columns)).to(self.device)

    def _retrieve(self, src: Tensor, mask: Tensor) -> tuple[Retrieved | None, ...]:
        return tuple(datastore.retrieve(src, mask) if datastore else None for datastore in self.datastores)


def mean_log_probs(log_probs: list[Tensor]) -> Tensor:
    """The logarithm of the models' mean probability; a single model's log-probabilities are returned as they are."""
    if len(log_probs) == 1:
        return log_probs[0]
    return reduce(torch.logaddexp, log_probs) - math.log(len(log_probs))  # pairwise, in one order for any batch
