"""The translation model: two embeddings, an encoder, a decoder and an output layer, with three operations.

    start(src, src_mask) -> state    advance(tokens (B, T), state) -> logits (B, T, V), state    state.select(rows)

Training advances by the whole sentence, search by one token, through the same code. The model knows ids but not text,
and gives no id a special meaning: masks are arguments, and so is the number of tokens that are never copied.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.network.attention import CONTEXTS, Covered
from seq2seq.network.cells import CELLS
from seq2seq.network.copying import Copies, Pointer, Rows
from seq2seq.network.decoder import Decoder, State
from seq2seq.network.embedding import Dropout, Embedding
from seq2seq.network.encoder import Encoder
from seq2seq.network.loss import Mixture
from seq2seq.network.products import filled, rounds

UNTIED = "model.tied = 'all' needs one vocabulary for both sides: set tokenizer.joint = true"
NOT_JOINT = "model.copy = true needs one vocabulary for both sides: set tokenizer.joint = true"
WIDEST, DEEPEST = 100_000, 100  # more than any machine can hold; a damaged file may contain any number


@dataclass(frozen=True)
class ModelConfig:
    """The model's shape and its dropout rates."""

    cell: str = setting("gru", "recurrent cell", choices=CELLS)
    context: str = setting("additive", "fixed context vector (last, mean) or kind of attention", choices=CONTEXTS)
    embedding: int = setting(256, "size of the token embeddings", low=1, high=WIDEST)
    encoder_hidden: tuple[int, ...] = setting((256, 256), "encoder size, one number a direction", low=1, high=WIDEST)
    encoder_layers: int = setting(1, "number of encoder layers", low=1, high=DEEPEST)
    hidden: int = setting(512, "size of the decoder and of the query", low=1, high=WIDEST)
    decoder_layers: int = setting(1, "number of decoder layers", low=1, high=DEEPEST)
    attention: int = setting(
        256, "size of the hidden layer of additive, or of all heads of multihead together", low=1, high=WIDEST
    )
    heads: int = setting(8, "number of heads of the multihead context", low=1, high=WIDEST)
    lexical: bool = setting(
        True, "lexical layer: add the attention-weighted mean of the source embeddings to the features"
    )
    copy: bool = setting(
        False,
        "mix into the softmax a distribution over the source's tokens, the attention weights (pointer-generator), so "
        "that names can be copied; needs a joint tokenizer and a context with attention",
    )
    coverage: bool = setting(
        False,
        "the attention that each source token has had is an input of its score, against loops and omissions; for "
        "the additive context only",
    )
    tied: str = setting(
        "target",
        "target: output layer and target embedding share a table; all: the source embedding too",
        choices=("none", "target", "all"),
    )
    dropout: float = setting(0.2, "dropout on embeddings and between layers", low=0.0, high=0.95)
    readout_dropout: float = setting(0.2, "dropout before the output layer", low=0.0, high=0.95)
    word_dropout: float = setting(0.0, "dropout of whole source and target tokens", low=0.0, high=0.95)
    variational: bool = setting(False, "one dropout mask per sentence instead of one per token")


class Forced(NamedTuple):
    """The result of teacher forcing."""

    # (N', V) or (N', V') of the softmax at the N real positions, row by row; rows behind these are of no position
    logits: Tensor
    features: Tensor  # (N, E)
    copies: Copies | None  # (N, S); None without `model.copy`
    weights: Tensor  # (B, T, S) attention weights of all positions


class Model(nn.Module):
    """Encoder and decoder over ids.

    Args:
        config: the settings.
        src_vocabulary, tgt_vocabulary: the number of ids of each side.
        special: how many of the first ids are never copied with `model.copy`, at least 1.

    Raises:
        InputError: settings that contradict each other.
    """

    def __init__(self, config: ModelConfig, src_vocabulary: int, tgt_vocabulary: int, special: int = 1) -> None:
        super().__init__()
        _check(config, src_vocabulary, tgt_vocabulary)
        self.config = config
        dropout = Dropout(config.dropout, config.variational)
        self.tgt_embedding = Embedding(tgt_vocabulary, config.embedding, dropout, config.word_dropout)
        self.src_embedding = Embedding(src_vocabulary, config.embedding, dropout, config.word_dropout)
        self.encoder = Encoder(config.cell, config.embedding, config.encoder_hidden, config.encoder_layers, dropout)
        context = Covered if config.coverage else CONTEXTS[config.context]
        self.decoder = Decoder(
            config.cell,
            context(self.encoder.size, config.hidden, config.heads, config.attention),
            config.embedding,
            config.hidden,
            config.decoder_layers,
            config.lexical,
            dropout,
            Dropout(config.readout_dropout, config.variational),
        )
        self.output = nn.Linear(config.embedding, tgt_vocabulary)
        nn.init.normal_(self.output.weight, std=config.embedding**-0.5)
        nn.init.zeros_(self.output.bias)
        self.pointer = Pointer(config.embedding, special, tgt_vocabulary) if config.copy else None
        self.tie()

    def tie(self) -> None:
        """Make tied tables one tensor (Press & Wolf 2017). Call it again after `to_empty`, which separates them.

        With `tied` = "all" the target vocabulary is the first V tokens of the source vocabulary.
        """
        if self.config.tied == "all":
            self.tgt_embedding.table.weight = self.src_embedding.table.weight
        if self.config.tied != "none":
            self.output.weight = self.tgt_embedding.table.weight

    def start(self, src: Tensor, src_mask: Tensor) -> State:
        """src ids (B, S), src_mask (B, S) to the decoder's state before the first token."""
        state = self.decoder.start(self.encoder(self.src_embedding(src), src_mask))
        if self.pointer is None:
            return state
        return state._replace(memory=state.memory._replace(slots=self.pointer.slots(src, src_mask)))

    def advance(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (B, T) to the logits (B, T, V) of the next token after each, and the state after the last.

        With `model.copy` the logits are the log-probabilities themselves.
        """
        features, state = self.features(tokens, state)
        return self.logits(features) if self.pointer is None else self.log_probs(features, state), state

    def features(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (B, T) to features (B, T, E), the input of `logits`, and the state after the last token."""
        features: tuple[Tensor, State] = self.decoder(self.tgt_embedding(tokens), state)
        return features

    def forward(
        self, src: Tensor, src_mask: Tensor, tgt_in: Tensor, tgt_mask: Tensor, tokens: Tensor | None = None
    ) -> Forced:
        """Teacher forcing at the N real positions of tgt_in (B, T), row by row.

        Equals `advance` over the whole sentence, but the output layer, the costliest product, skips the padding and
        computes the logits of the ids `tokens` (V',) alone, where given; the mixture of `model.copy` is left to
        `mixture`.
        """
        features, state = self.features(tgt_in, self.start(src, src_mask))
        real, copies = features[tgt_mask], self._copies(state)
        rows = filled(real) if rounds(real) else real
        return Forced(self.logits(rows, tokens), real, copies and copies.at(tgt_mask), state.weights)

    def log_probs(self, features: Tensor, state: State, rows: Rows | None = None) -> Tensor:
        """log p of the next token, in at least single precision, from features (B, T, E) and the state after them.

        Of all positions (B, T, V), or of those at `rows`, an index of the first two axes.
        """
        chosen = features if rows is None else features[rows]
        logits = self.logits(chosen)
        log_probs = torch.log_softmax(logits.to(torch.promote_types(logits.dtype, torch.float32)), dim=-1)
        copies = self._copies(state)
        if self.pointer is None or copies is None:
            return log_probs
        return self.pointer.mix(chosen, log_probs, copies if rows is None else copies.at(rows))

    def mixture(self, forced: Forced, targets: Tensor) -> Mixture | None:
        """What the loss of the N targets needs besides the logits of teacher forcing; None without `model.copy`."""
        if self.pointer is None or forced.copies is None:
            return None
        return self.pointer.mixture(forced.features, forced.copies, targets)

    def _copies(self, state: State) -> Copies | None:
        """What may be copied after each of the last T tokens (B, T, S); None without `model.copy`."""
        slots = state.memory.slots
        return None if slots is None else Copies.of(state.weights, slots)

    def logits(self, features: Tensor, tokens: Tensor | None = None) -> Tensor:
        """Features (..., E) to logits (..., V), or (..., V') of the ids `tokens`.

        Of a table with more rows than V the first V are used.
        """
        if tokens is not None:
            return F.linear(features, self.output.weight[tokens], self.output.bias[tokens])
        table = self.output.weight
        whole = len(table) == self.output.out_features  # a part would have its gradient copied
        return F.linear(features, table if whole else table[: self.output.out_features], self.output.bias)


def _check(config: ModelConfig, src_vocabulary: int, tgt_vocabulary: int) -> None:
    states = sum(config.encoder_hidden)
    if len(config.encoder_hidden) not in (1, 2):
        raise InputError(f"model.encoder_hidden = {list(config.encoder_hidden)}: give one size, or one a direction")
    if config.context == "dot" and states != config.hidden:
        raise InputError(
            f"model.context = 'dot' needs a decoder of the encoder's size: model.hidden = {config.hidden}, "
            f"model.encoder_hidden adds up to {states}; make them equal or take 'general'"
        )
    if config.context == "multihead" and config.attention % config.heads:
        raise InputError(
            f"model.heads = {config.heads} does not divide model.attention = {config.attention}; choose a divisor"
        )
    if config.tied == "all" and src_vocabulary < tgt_vocabulary:
        raise InputError(UNTIED)
    if config.copy and src_vocabulary < tgt_vocabulary:
        raise InputError(NOT_JOINT)
    if config.copy and CONTEXTS[config.context].fixed:
        raise InputError(
            f"model.copy = true copies by the attention, which model.context = '{config.context}' does not have; take "
            "'additive', for example"
        )
    if config.coverage and config.context != "additive":
        raise InputError(
            f"model.coverage = true is an input of the additive score: set model.context = 'additive', not "
            f"'{config.context}'"
        )
