"""Trained models behind the verbs of search, arrays in and arrays out.

The batch changes no bit of a translation or its score, nor do one or two threads (with AVX2 or AVX-512, and sizes of
layers that are multiples of eight). What could is the order in which a kernel adds: a product of matrices takes rows by
fours and the rest in another way, and a sum over source positions depends on their number until they fill a vector. So
hypotheses come in fours, positions in sixteens.
"""

import math
from functools import reduce
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seq2seq.batches import Arrays
from seq2seq.decoder import State
from seq2seq.model import Model
from seq2seq.search import Ids, LogProbs, Proposal
from seq2seq.translator import Mask

ROWS, POSITIONS = 4, 16  # multiples that a batch is filled up to


class Full(NamedTuple):
    """Each model's state of the sentences, and of others behind them that make the rows a multiple of ROWS."""

    states: tuple[State, ...]

    def select(self, rows: Ids) -> "Full":
        """The state of these rows (B, W), filled up; see `seq2seq.search.State`."""
        wanted = torch.from_numpy(rows).to(self.states[0].weights.device)
        filled = fill(wanted, ROWS // math.gcd(ROWS, rows.shape[1]))
        return Full(tuple(state.select(filled) for state in self.states))


class Inference:
    """One model, or several of one vocabulary, on the device where they are.

    Several are an ensemble: p(token) is the mean of what they give it (Sutskever et al. 2014).
    """

    def __init__(self, *models: Model) -> None:
        self.models = models
        self.device = next(models[0].parameters()).device
        self.aligns = not any(model.decoder.context.fixed for model in models)

    @torch.inference_mode()
    def start(self, src: Ids, mask: Mask) -> Full:
        """The state of sentences src (B, S), mask (B, S), before their first token."""
        filled = [fill(widen(torch.from_numpy(side))).to(self.device) for side in (src, mask)]
        return Full(tuple(model.start(*filled) for model in self.models))

    @torch.inference_mode()
    def propose(self, tokens: Ids, asked: Ids, state: Full, count: int) -> tuple[Proposal, Full]:
        """How each hypothesis (B, W) goes on from its last token; see `seq2seq.search`."""
        rows = len(state.states[0].weights)
        last, wanted = (fill(torch.from_numpy(x).reshape(-1, 1), rows).to(self.device) for x in (tokens, asked))
        advanced = [model.advance(last, each) for model, each in zip(self.models, state.states, strict=True)]
        log_p = mean([torch.log_softmax(logits[:, -1].float(), dim=-1) for logits, _ in advanced])  # (B * W, V)
        best = log_p.topk(min(count, log_p.shape[1]))
        index, values, of_asked = (
            x[: tokens.size].cpu().numpy().reshape(*tokens.shape, x.shape[1])
            for x in (best.indices, best.values, log_p.gather(1, wanted))
        )
        weights = torch.stack([after.weights[: tokens.size, -1] for _, after in advanced]).sum(0)
        source = weights.argmax(-1).cpu().numpy().reshape(tokens.shape)
        return Proposal(index, values, of_asked[:, :, 0], source), Full(tuple(after for _, after in advanced))

    @torch.inference_mode()
    def log_probs(self, pairs: Arrays) -> LogProbs:
        """log p(tgt | src) of each of B pairs, by teacher forcing."""
        source, source_mask, before, after, mask = (
            fill(widen(torch.from_numpy(side))).to(self.device) for side in pairs
        )
        lengths = mask.sum(1, keepdim=True)
        wanted = torch.arange(mask.shape[1], device=self.device) < lengths + -lengths % ROWS
        chosen = after[wanted][:, None]  # (N, 1)
        found = []
        for model in self.models:
            logits = model(source, source_mask, before, wanted).float()  # (N, V)
            found.append(logits.gather(1, chosen).squeeze(1) - logits.logsumexp(-1))
        of_tokens = torch.zeros(wanted.shape, dtype=torch.float64, device=self.device)
        of_tokens[wanted] = mean(found).double()
        totals: LogProbs = of_tokens.masked_fill(~mask, 0.0)[: len(pairs.src)].sum(1).cpu().numpy()
        return totals

    @torch.inference_mode()
    def attention(self, src: Ids, tgt_in: Ids) -> NDArray[np.float32]:
        """How much each position of a source (S,) counts when each token is said, by teacher forcing: (T, S)."""
        source, before = (torch.from_numpy(side)[None].to(self.device) for side in (src, tgt_in))
        states = [model.start(source, torch.ones_like(source, dtype=torch.bool)) for model in self.models]
        after = [model.advance(before, state)[1] for model, state in zip(self.models, states, strict=True)]
        weights: NDArray[np.float32] = torch.stack([state.weights[0] for state in after]).mean(0).cpu().numpy()
        return weights


def mean(log_probs: list[Tensor]) -> Tensor:
    """The logarithm of the models' mean probability; of a single model what it says, to the bit."""
    if len(log_probs) == 1:
        return log_probs[0]
    return reduce(torch.logaddexp, log_probs) - math.log(len(log_probs))  # in one order, whatever the batch


def fill(rows: Tensor, multiple: int = ROWS) -> Tensor:
    """Rows (N, ...) and the last one again, up to the next multiple."""
    return torch.cat((rows, rows[-1:].expand(-len(rows) % multiple, *rows.shape[1:])))


def widen(x: Tensor) -> Tensor:
    """Ids or a mask (B, L), padded on to a multiple of POSITIONS: PAD is 0, and no token is there."""
    return F.pad(x, (0, -x.shape[1] % POSITIONS))
