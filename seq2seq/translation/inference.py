"""Trained models behind the verbs of search, arrays in and arrays out.

The batch changes no bit of a translation or its score, nor do one or two threads (with AVX2 or AVX-512, and sizes of
layers that are multiples of eight): see `filling`.
"""

import math
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seq2seq.errors import InputError
from seq2seq.network.decoder import State
from seq2seq.network.model import Model
from seq2seq.text.batches import Arrays
from seq2seq.translation.nearest_neighbour import Datastore, Sight
from seq2seq.translation.padding import ROW_MULTIPLE, pad_positions, pad_rows
from seq2seq.translation.search import Ids, LogProbs, Proposal
from seq2seq.translation.translation_memory import TranslationMemory
from seq2seq.translation.translator import Bundle, Mask


class Full(NamedTuple):
    """Each model's state of the sentences, and of others behind them that make the rows a multiple of ROW_MULTIPLE."""

    states: tuple[State, ...]
    sights: tuple[Sight | None, ...]  # what each model sees of a translation memory, if it has one

    def select(self, rows: Ids) -> "Full":
        """The state of these rows (B, W), filled up; see `seq2seq.translation.search.State`."""
        before = self.states[0]
        wanted = torch.from_numpy(rows).to(before.weights.device)
        filled = pad_rows(wanted, ROW_MULTIPLE // math.gcd(ROW_MULTIPLE, rows.shape[1]))
        sentences = filled[:, 0] // (len(before.weights) // len(before.memory.mask))
        return Full(
            tuple(state.select(filled) for state in self.states),
            tuple(sight and sight.select(sentences) for sight in self.sights),
        )


class TorchEngine:
    """One model, or several of one vocabulary, on the device where they are.

    Several are an ensemble: p(token) is the mean of what they give it (Sutskever et al. 2014). With a translation
    memory each looks at its own neighbours there for `share` of what it says; see `neighbours`.
    """

    def __init__(self, *models: Model, memory: TranslationMemory | None = None, share: float = 0.0) -> None:
        self.models = models
        self.stores = [Datastore(model, memory, share) if memory else None for model in models]
        self.device = next(models[0].parameters()).device
        self.aligns = not any(model.decoder.context.fixed for model in models)

    @torch.inference_mode()
    def start(self, src: Ids, mask: Mask) -> Full:
        """The state of sentences src (B, S), mask (B, S), before their first token."""
        filled = [pad_rows(pad_positions(torch.from_numpy(side))).to(self.device) for side in (src, mask)]
        return Full(tuple(model.start(*filled) for model in self.models), self._sights(*filled))

    @torch.inference_mode()
    def propose(self, tokens: Ids, asked: Ids, state: Full, count: int) -> tuple[Proposal, Full]:
        """How each hypothesis (B, W) goes on from its last token; see `seq2seq.translation.search`."""
        rows, sentences = len(state.states[0].weights), len(state.states[0].memory.mask)
        last, wanted = (pad_rows(torch.from_numpy(x).reshape(-1, 1), rows).to(self.device) for x in (tokens, asked))
        said, states = [], []
        for model, before, sight in zip(self.models, *state, strict=True):
            features, after = model.features(last, before)
            said.append(log_p_of(model, features[:, -1], sight, [rows // sentences] * sentences))
            states.append(after)
        log_p = mean(said)  # (B * W, V)
        best = log_p.topk(min(count, log_p.shape[1]))
        index, values, of_asked = (
            x[: tokens.size].cpu().numpy().reshape(*tokens.shape, x.shape[1])
            for x in (best.indices, best.values, log_p.gather(1, wanted))
        )
        weights = torch.stack([after.weights[: tokens.size, -1] for after in states]).sum(0)
        source = weights.argmax(-1).cpu().numpy().reshape(tokens.shape)
        return Proposal(index, values, of_asked[:, :, 0], source), state._replace(states=tuple(states))

    @torch.inference_mode()
    def log_probs(self, pairs: Arrays) -> LogProbs:
        """log p(tgt | src) of each of B pairs, by teacher forcing."""
        source, source_mask, before, after, mask = (
            pad_rows(pad_positions(torch.from_numpy(side))).to(self.device) for side in pairs
        )
        lengths = mask.sum(1, keepdim=True)
        wanted = torch.arange(mask.shape[1], device=self.device) < lengths + -lengths % ROW_MULTIPLE
        chosen = after[wanted][:, None]  # (N, 1)
        found = []
        for model, sight in zip(self.models, self._sights(source, source_mask), strict=True):
            features, _ = model.features(before, model.start(source, source_mask))
            log_p = log_p_of(model, features[wanted], sight, wanted.sum(1).tolist())  # (N, V)
            found.append(log_p.gather(1, chosen).squeeze(1))
        of_tokens = torch.zeros(wanted.shape, dtype=torch.float64, device=self.device)
        of_tokens[wanted] = mean(found).double()
        totals: LogProbs = of_tokens.masked_fill(~mask, 0.0)[: len(pairs.src)].sum(1).cpu().numpy()
        return totals

    @torch.inference_mode()
    def attention(self, src: Ids, tgt_in: Ids) -> NDArray[np.float32]:
        """How much each position of a source (S,) counts when each token is said, by teacher forcing: (T, S)."""
        source, before = (torch.from_numpy(side)[None].to(self.device) for side in (src, tgt_in))
        states = [model.start(source, torch.ones_like(source, dtype=torch.bool)) for model in self.models]
        after = [model.features(before, state)[1] for model, state in zip(self.models, states, strict=True)]
        weights: NDArray[np.float32] = torch.stack([state.weights[0] for state in after]).mean(0).cpu().numpy()
        return weights

    def _sights(self, src: Tensor, mask: Tensor) -> tuple[Sight | None, ...]:
        return tuple(store.of(src, mask) if store else None for store in self.stores)


def with_memory(bundle: Bundle, pairs: Sequence[tuple[str, str]], share: float) -> Bundle:
    """The bundle, whose models look at these pairs of lines, one at least, for `share` of what they say.

    Raises:
        InputError: the model is an exported one.
    """
    if not isinstance(bundle.engine, TorchEngine):
        raise InputError("an exported model cannot look at a memory; give the trained one, or leave out --memory")
    src, tgt = zip(*pairs, strict=True)
    memory = TranslationMemory(bundle.src_tokenizer.encode_all(src), bundle.tgt_tokenizer.encode_all(tgt))
    return bundle._replace(engine=TorchEngine(*bundle.engine.models, memory=memory, share=share))


def log_p_of(model: Model, features: Tensor, sight: Sight | None, counts: list[int]) -> Tensor:
    """log p (N, V) of what follows features (N, E), so many of each sentence."""
    log_p = torch.log_softmax(model.logits(features).float(), dim=-1)
    return sight.mix(log_p, features, counts) if sight else log_p


def mean(log_probs: list[Tensor]) -> Tensor:
    """The logarithm of the models' mean probability; of a single model what it says, to the bit."""
    if len(log_probs) == 1:
        return log_probs[0]
    return reduce(torch.logaddexp, log_probs) - math.log(len(log_probs))  # in one order, whatever the batch
