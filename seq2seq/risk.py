"""Minimum risk training: the model's own translations of a batch, and how good each is (Shen et al. 2016).

    risk = sum_k q_k (1 - BLEU_k)        q_k = softmax over the candidates of log p(y_k | x) / |y_k|

The candidates are what beam search finds with the weights of the moment, so there is nothing to store and a run resumes
exactly; the reference is none of them, and its own loss goes on beside the risk (Edunov et al. 2018, section 4).
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.collation import Batch, beside
from seq2seq.inference import Inference
from seq2seq.loss import token_log_probs
from seq2seq.model import Model
from seq2seq.scoring import sentence_bleu
from seq2seq.search import SearchConfig, search
from seq2seq.tokenizer import BOS, EOS, Tokenizer


class Candidates(NamedTuple):
    """K own translations of each of B sentences, beside the reference, which is the first of each block of rows."""

    batch: Batch  # its target has B * (1 + K) rows
    quality: Tensor  # (B, K) BLEU of a sentence, 0 to 1
    found: Tensor  # (B, K) False where search found fewer than K


def candidates(model: Model, batch: Batch, tokenizer: Tokenizer, count: int) -> Candidates:
    """The `count` translations of each source that the model, as it is and without dropout, likes best.

    Args:
        model: its mode is the same afterwards.
        batch: the pairs.
        tokenizer: of the target.
        count: K.
    """
    config, training = SearchConfig(beam=count), model.training
    engine = Inference(model.eval())
    state = engine.start(batch.src.cpu().numpy(), batch.src_mask.cpu().numpy())
    limits = [config.limit(length) for length in batch.src_mask.sum(1).tolist()]
    references = [ids[mask][:-1].tolist() for ids, mask in zip(batch.tgt_out, batch.tgt_mask, strict=True)]
    own = [[h.tokens for h in found] for found in search(engine.propose, state, BOS, limits, config, EOS)]
    model.train(training)
    quality, every = np.zeros((len(own), count), np.float32), list[list[int]]()
    for i, (translations, reference) in enumerate(zip(own, references, strict=True)):
        text = tokenizer.decode(reference)
        quality[i, : len(translations)] = [sentence_bleu(tokenizer.decode(ids), text) / 100 for ids in translations]
        every.extend([reference, *translations, *([[]] * (count - len(translations)))])
    found = np.arange(count) < np.array([[len(translations)] for translations in own])
    device = batch.src.device
    return Candidates(
        beside(batch, every).to(device), torch.from_numpy(quality).to(device), torch.from_numpy(found).to(device)
    )


def expected(logits: Tensor, c: Candidates) -> Tensor:
    """Logits (N, V) of the candidates' real tokens, row by row, to the summed risk of the sentences."""
    size, count = c.quality.shape
    mask = c.batch.tgt_mask.unflatten(0, (size, 1 + count))[:, 1:]  # (B, K, T)
    targets = c.batch.tgt_out.unflatten(0, (size, 1 + count))[:, 1:]
    of_tokens = token_log_probs(logits, targets[mask])
    log_probs = of_tokens.new_zeros(mask.shape).masked_scatter(mask, of_tokens)  # (B, K, T)
    score = (log_probs.sum(2) / mask.sum(2)).masked_fill(~c.found, float("-inf"))
    return (torch.softmax(score, dim=1) * (1.0 - c.quality)).sum()
