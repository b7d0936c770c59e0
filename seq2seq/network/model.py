"""The translation model: two embeddings, an encoder, a decoder, an output layer, and the three verbs.

    start(src, src_mask) -> state        advance(tokens (B, T), state) -> logits (B, T, V), state        state.select

Training advances by the whole sentence, search by one token: the same code. The model knows ids, never text, and no id
by meaning: masks are handed in.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from seq2seq.config import setting
from seq2seq.errors import InputError
from seq2seq.network.attention import CONTEXTS
from seq2seq.network.cells import CELLS
from seq2seq.network.decoder import Decoder, State
from seq2seq.network.embedding import Dropout, Embedding
from seq2seq.network.encoder import Encoder

UNTIED = "model.tied = 'all' needs one vocabulary for both sides: set tokenizer.joint = true"
WIDEST, DEEPEST = 100_000, 100  # beyond any machine; a damaged file may say anything


@dataclass(frozen=True)
class ModelConfig:
    """The model's shape and its dropouts; with the vocabularies' sizes, all that building it needs."""

    cell: str = setting("gru", "recurrent cell", choices=CELLS)
    context: str = setting("additive", "what the decoder sees of the source", choices=CONTEXTS)
    embedding: int = setting(256, "size of the word vectors", low=1, high=WIDEST)
    encoder_hidden: tuple[int, ...] = setting((256, 256), "encoder size, one number a direction", low=1, high=WIDEST)
    encoder_layers: int = setting(1, "encoder layers", low=1, high=DEEPEST)
    hidden: int = setting(512, "decoder size", low=1, high=WIDEST)
    decoder_layers: int = setting(1, "decoder layers", low=1, high=DEEPEST)
    attention: int = setting(256, "width of the additive context's hidden layer, and of multihead", low=1, high=WIDEST)
    heads: int = setting(8, "heads of the multihead context", low=1, high=WIDEST)
    lexical: bool = setting(True, "the source words attended to vote for their translations")
    tied: str = setting("target", "embeddings that share one table", choices=("none", "target", "all"))
    dropout: float = setting(0.2, "dropout on embeddings and between layers", low=0.0, high=0.95)
    readout_dropout: float = setting(0.2, "dropout before the output layer", low=0.0, high=0.95)
    word_dropout: float = setting(0.0, "share of whole source and target words dropped", low=0.0, high=0.95)
    variational: bool = setting(False, "one dropout mask a sentence instead of one a word")


class Model(nn.Module):
    """Encoder and decoder over ids. Raises InputError where the settings do not fit one another."""

    def __init__(self, config: ModelConfig, src_vocabulary: int, tgt_vocabulary: int) -> None:
        super().__init__()
        _check(config, src_vocabulary, tgt_vocabulary)
        self.config = config
        dropout = Dropout(config.dropout, config.variational)
        self.tgt_embedding = Embedding(tgt_vocabulary, config.embedding, dropout, config.word_dropout)
        self.src_embedding = Embedding(src_vocabulary, config.embedding, dropout, config.word_dropout)
        self.encoder = Encoder(config.cell, config.embedding, config.encoder_hidden, config.encoder_layers, dropout)
        self.decoder = Decoder(
            config.cell,
            config.context,
            config.embedding,
            self.encoder.size,
            config.hidden,
            config.decoder_layers,
            config.heads,
            config.attention,
            config.lexical,
            dropout,
            Dropout(config.readout_dropout, config.variational),
        )
        self.output = nn.Linear(config.embedding, tgt_vocabulary)
        nn.init.normal_(self.output.weight, std=config.embedding**-0.5)
        nn.init.zeros_(self.output.bias)
        self.tie()

    def tie(self) -> None:
        """Shard the tables that the settings tie (Press & Wolf 2017); again after `to_empty`, which parts them.

        Where both languages share a table, the target's tokens are the first of the source's.
        """
        if self.config.tied == "all":
            self.tgt_embedding.table.weight = self.src_embedding.table.weight
        if self.config.tied != "none":
            self.output.weight = self.tgt_embedding.table.weight

    def start(self, src: Tensor, src_mask: Tensor) -> State:
        """src (B, S) ids, src_mask (B, S) to the decoder's state before the first token."""
        return self.decoder.start(self.encoder(self.src_embedding(src), src_mask))

    def advance(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (B, T), the ones the decoder reads, to logits (B, T, V) of the ones that follow them."""
        features, state = self.features(tokens, state)
        return self.logits(features), state

    def features(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Tokens (B, T) to features (B, T, E), from which `logits` says what follows them."""
        features: tuple[Tensor, State] = self.decoder(self.tgt_embedding(tokens), state)
        return features

    def forward(self, src: Tensor, src_mask: Tensor, tgt_in: Tensor, tgt_mask: Tensor) -> Tensor:
        """Teacher forcing: logits (N, V) of the N real positions of tgt_in, row by row.

        `advance` over the whole sentence, but padding never reaches the output layer, the costliest product of all.
        """
        features, _ = self.features(tgt_in, self.start(src, src_mask))
        return self.logits(features[tgt_mask])

    def logits(self, features: Tensor) -> Tensor:
        """Features (..., E) to logits (..., V) of the target's tokens."""
        return F.linear(features, self.output.weight[: self.output.out_features], self.output.bias)


def _check(config: ModelConfig, src_vocabulary: int, tgt_vocabulary: int) -> None:
    states = sum(config.encoder_hidden)
    if len(config.encoder_hidden) not in (1, 2):
        raise InputError(f"model.encoder_hidden = {list(config.encoder_hidden)}: give one size, or one a direction")
    if config.context == "dot" and states != config.hidden:
        raise InputError(
            f"model.context = 'dot' needs a decoder as wide as the encoder: model.hidden = {config.hidden}, "
            f"model.encoder_hidden adds up to {states}; make them equal or take 'general'"
        )
    if config.context == "multihead" and config.attention % config.heads:
        raise InputError(
            f"model.heads = {config.heads} does not divide model.attention = {config.attention}; choose a divisor"
        )
    if config.tied == "all" and src_vocabulary < tgt_vocabulary:
        raise InputError(UNTIED)
