"""Validation: the loss and the translation quality of a set of weights on the dev pairs of each direction.

Ranks that train together share the dev pairs, and all have the scores.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from torch import Tensor

from seq2seq.folder import checkpoint
from seq2seq.network.model import ModelConfig
from seq2seq.text.directions import Direction, name_of
from seq2seq.text.preparation import TextConfig
from seq2seq.text.scoring import DEFAULT, score, tokenizer_for
from seq2seq.text.sources import Pair
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.distributed import ProcessGroup
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator

LONGEST = 2000  # tokens of a side; the loss of longer pairs takes gigabytes, and says nothing about sentences
UNUSABLE = 0.05  # a BLEU below it, which is printed as 0.0, counts as 0


class Scores(NamedTuple):
    """The scores of a set of weights on dev; of several directions their means."""

    loss: float  # nats per target token, of the references
    bleu: float  # of greedy translations, 0 to 100
    chrf: float  # of greedy translations, 0 to 100
    directions: "dict[str, Scores] | None" = None  # of a model of several, the scores of each by its name

    def rank(self, metric: str) -> tuple[float, float, float]:
        """The score that `training.metric` names, then what decides between equal ones: chrF and loss.

        Higher is better; losses are negated, and a BLEU below UNUSABLE is 0.
        """
        bleu = self.bleu if self.bleu >= UNUSABLE else 0.0
        return {"bleu": bleu, "chrf": self.chrf, "loss": -self.loss}[metric], self.chrf, -self.loss

    def by_direction(self) -> dict[str, Any]:
        """What metrics.jsonl keeps of each direction; nothing for a model of one."""
        rows = {
            name: {"dev_loss": round(s.loss, 4), "dev_bleu": round(s.bleu, 2), "dev_chrf": round(s.chrf, 2)}
            for name, s in (self.directions or {}).items()
        }
        return {"directions": rows} if rows else {}


class Dev(NamedTuple):
    """The dev pairs of a direction, and what translates them."""

    src: list[str]
    tgt: list[str]
    scored: list[bool]  # whether a pair counts for the loss
    translator: LineTranslator
    tokens: int  # of the target sides that count for the loss
    tokenize: str  # how BLEU counts words
    process_group: ProcessGroup  # the ranks that share the pairs

    def scores(self) -> Scores:
        """The scores of the weights that the translator's model holds, computed by all ranks."""

        def compute(pairs: Sequence[tuple[str, str, bool]]) -> list[tuple[float, str]]:
            scored = [(src, tgt) for src, tgt, counts in pairs if counts]
            log_probs = iter(self.translator.log_probs([src for src, _ in scored], [tgt for _, tgt in scored]))
            translations = self.translator.translate([src for src, _, _ in pairs])
            return [
                (next(log_probs) if counts else 0.0, t) for (*_, counts), t in zip(pairs, translations, strict=True)
            ]

        results = self.process_group.share_out(list(zip(self.src, self.tgt, self.scored, strict=True)), compute)
        loss = -sum(log_prob for log_prob, _ in results) / max(1, self.tokens)
        translations = [translation for _, translation in results]
        bleu, chrf = (s.value for s in score(translations, [self.tgt], ("bleu", "chrf"), self.tokenize))
        return Scores(loss, bleu, chrf)


class Validator:
    """Scores weights on the dev pairs, in a model of its own beside the one that is trained.

    Args:
        config: the model's settings.
        tokenizers: of the source and the target.
        dev: the pairs of each direction.
        device: cpu or cuda.
        text: how text is read for the model.
        right_to_left: whether it writes its target from the end.
        process_group: the ranks that share the dev pairs; by default this process alone.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokenizers: tuple[Tokenizer, Tokenizer],
        dev: Mapping[Direction, Sequence[Pair]],
        device: str,
        text: TextConfig,
        right_to_left: bool = False,
        process_group: ProcessGroup | None = None,
    ) -> None:
        ranks = process_group or ProcessGroup()
        self.model = checkpoint.untrained(config, tokenizers).to(device).eval()
        bundle = Bundle.of(TorchEngine(self.model), tokenizers, SearchConfig(beam=1), text, list(dev))
        bundle = bundle._replace(right_to_left=right_to_left)
        self.dev: dict[Direction, Dev] = {}
        for direction, pairs in dev.items():
            src, tgt = [pair.src for pair in pairs], [pair.tgt for pair in pairs]
            translator = LineTranslator(bundle.toward(direction), bundle.search, batch_tokens=4096)
            sides = translator.encoded(src, tgt, translator.bundle.reading)
            scored = [max(map(len, ids)) <= LONGEST for ids in zip(*sides, strict=True)]
            tokens = sum(len(ids) + 1 for ids, counts in zip(sides[1], scored, strict=True) if counts)
            self.dev[direction] = Dev(src, tgt, scored, translator, tokens, tokenizer_for(direction[1], tgt), ranks)

    @property
    def sentences(self) -> int:
        """The number of dev pairs of all directions."""
        return sum(len(dev.src) for dev in self.dev.values())

    def notices(self) -> list[str]:
        """How BLEU counts words, for each target language where it is not by spaces; and what the loss leaves out."""
        tokenizers = {tgt: dev.tokenize for (_, tgt), dev in self.dev.items() if dev.tokenize != DEFAULT}
        notices = [f"dev BLEU of {tgt} counts words by sacreBLEU's tokenizer {n}" for tgt, n in tokenizers.items()]
        if left_out := sum(dev.scored.count(False) for dev in self.dev.values()):
            notices.append(f"the dev loss leaves out {left_out:,} pairs of more than {LONGEST:,} tokens; divide them")
        return notices

    def validate(self, weights: Mapping[str, Tensor]) -> Scores:
        """Load the weights, by parameter name, and score them. All ranks call it with the same weights."""
        checkpoint.load_weights(self.model, weights)
        scores = {name_of(direction): dev.scores() for direction, dev in self.dev.items()}
        if len(scores) == 1:
            [single] = scores.values()
            return single
        loss, bleu, chrf = (fmean(getattr(s, name) for s in scores.values()) for name in ("loss", "bleu", "chrf"))
        return Scores(loss, bleu, chrf, scores)
