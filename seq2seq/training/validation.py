"""What weights are worth, on the dev pairs: the loss of the references, and how good greedy translations are."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from seq2seq.folder import checkpoint
from seq2seq.network.model import Model, ModelConfig
from seq2seq.text.scoring import score
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import Bundle, LineTranslator


class Scores(NamedTuple):
    """The scores of some weights."""

    loss: float  # nats a token
    bleu: float
    chrf: float

    def value(self, metric: str) -> float:
        """The score that a run is steered by; more is better."""
        return -self.loss if metric == "loss" else float(getattr(self, metric))


class Validator:
    """A model beside the one that trains, to hold the weights that are looked at."""

    def __init__(
        self, config: ModelConfig, tokenizers: tuple[Tokenizer, Tokenizer], dev: list[Pair], device: str
    ) -> None:
        self.tokenizers, self.src, self.tgt = tokenizers, [pair.src for pair in dev], [pair.tgt for pair in dev]
        self.model = Model(config, *map(len, tokenizers)).to(device).eval()

    def scores(self, weights: Mapping[str, Tensor]) -> Scores:
        """Take these weights and score them."""
        checkpoint.load_weights(self.model, weights)
        greedy = SearchConfig(beam=1)
        bundle = Bundle(TorchEngine(self.model), *self.tokenizers, greedy, "", "")
        translator = LineTranslator(bundle, greedy, batch_tokens=4096)
        tokens = sum(len(ids) + 1 for ids in self.tokenizers[1].encode(self.tgt))
        loss = -sum(translator.log_probs(self.src, self.tgt)) / tokens
        bleu, chrf = (s.value for s in score(translator.translate(self.src), [self.tgt], ("bleu", "chrf")))
        return Scores(loss, bleu, chrf)
