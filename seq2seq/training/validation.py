"""Validation: the loss and the translation quality of a set of weights on the dev pairs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from seq2seq.folder import checkpoint
from seq2seq.network.model import Model, ModelConfig
from seq2seq.segments.reading import Reading
from seq2seq.text.preparation import LONGEST
from seq2seq.text.scoring import DEFAULT, score, tokenizer_for
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator

UNUSABLE = 0.05  # a BLEU below it, which is printed as 0.0, counts as 0


class Scores(NamedTuple):
    """The scores of a set of weights on dev."""

    loss: float  # nats per target token, of the references
    bleu: float  # of greedy translations, 0 to 100
    chrf: float  # of greedy translations, 0 to 100

    def rank(self, metric: str) -> tuple[float, float, float]:
        """The score that `training.metric` names, then what decides between equal ones: chrF and loss.

        Higher is better; losses are negated, and a BLEU below UNUSABLE is 0.
        """
        bleu = self.bleu if self.bleu >= UNUSABLE else 0.0
        return {"bleu": bleu, "chrf": self.chrf, "loss": -self.loss}[metric], self.chrf, -self.loss


class Validator:
    """Scores weights on the dev pairs, in a model of its own beside the one that is trained.

    Args:
        config: the model's settings.
        tokenizers: of the source and the target.
        dev: the pairs.
        device: cpu or cuda.
        language: of the target, which decides how BLEU counts words.
        reading: how text is read for the model, and the most source tokens that are translated at once.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokenizers: tuple[Tokenizer, Tokenizer],
        dev: Sequence[Pair],
        device: str,
        language: str,
        reading: tuple[Reading | None, int] = (None, LONGEST),
    ) -> None:
        self.src, self.tgt = [pair.src for pair in dev], [pair.tgt for pair in dev]
        self.model = Model(config, *map(len, tokenizers)).to(device).eval()
        greedy = SearchConfig(beam=1)
        bundle = Bundle(TorchEngine(self.model), *tokenizers, greedy, "", "", *reading)
        self.translator = LineTranslator(bundle, greedy, batch_tokens=4096)
        self.tokens = self.translator.count_tokens(self.src, self.tgt)
        self.tokenize = tokenizer_for(language, self.tgt)

    def notice(self) -> str:
        """How BLEU counts words, if not by spaces; otherwise empty."""
        return "" if self.tokenize == DEFAULT else f"dev BLEU counts the words of sacreBLEU's tokenizer {self.tokenize}"

    def validate(self, weights: Mapping[str, Tensor]) -> Scores:
        """Load the weights, by parameter name, and score them."""
        checkpoint.load_weights(self.model, weights)
        loss = -sum(self.translator.log_probs(self.src, self.tgt)) / self.tokens
        translations = self.translator.translate(self.src)
        bleu, chrf = (s.value for s in score(translations, [self.tgt], ("bleu", "chrf"), self.tokenize))
        return Scores(loss, bleu, chrf)
