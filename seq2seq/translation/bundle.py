"""A model ready to translate: its engine, tokenizers and settings, and how text is read for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import build
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.reading import Reading
from seq2seq.text import batches
from seq2seq.text.preparation import LONGEST, TextConfig, reading
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.search import Ids, LogProbs, Proposal, SearchConfig

Mask = NDArray[np.bool_]


class Engine(Protocol):
    """What computes a model, as search and scoring use it. Padding is on the right; masks: True = real token.

    `aligns`: the model has attention weights over the source, so that the `source` of a proposal means something.
    """

    aligns: bool

    def start(self, src: Ids, mask: Mask) -> Any:
        """The state (`seq2seq.translation.search.State`) of sentences src (B, S), mask (B, S) before their first token.

        Each sentence ends with EOS.
        """

    def propose(self, tokens: Ids, targets: Ids, state: Any, count: int) -> tuple[Proposal, Any]:
        """One step of W hypotheses for each of B sentences.

        Args:
            tokens: (B, W), the last token of each hypothesis.
            targets: (B, W), a token for each whose log-probability is returned, whether it is among the best or not.
            state: before the step.
            count: how many of the most probable next tokens are returned for each hypothesis, at most.

        Returns:
            The proposal, and the state after the step.
        """

    def log_probs(self, pairs: batches.Arrays) -> LogProbs:
        """log p(tgt | src) (B,) of each of B pairs in nats, EOS counted."""


class Bundle(NamedTuple):
    """A model ready to translate."""

    engine: Engine  # computes the model, or an ensemble
    src_tokenizer: Tokenizer
    tgt_tokenizer: Tokenizer
    search: SearchConfig  # the model's own settings, which a command's options override
    src: str  # the language it translates from, as its settings name it
    tgt: str  # the language it translates to
    reading: Reading | None = None  # how text is read for it; None: each line as it stands, and as one
    longest: int = LONGEST  # source tokens that are translated at once

    @classmethod
    def from_settings(
        cls, engine: Engine, tokenizers: tuple[Tokenizer, Tokenizer], sections: Mapping[str, Mapping[str, Any]]
    ) -> "Bundle":
        """The bundle with the settings and languages from a model folder's settings."""
        search, languages = build(SearchConfig, sections.get("search", {}), "search"), sections.get("data", {})
        src, tgt = languages.get("src", "?"), languages.get("tgt", "?")
        text = build(TextConfig, sections.get("text", {}), "text")
        how = reading_for(tokenizers, text, src, tgt)
        return cls(engine, *tokenizers, search, src, tgt, how, text.longest or LONGEST)

    def with_reading(self, keep: Sequence[str] = (), nothing: bool = False, split: bool = True) -> "Bundle":
        """The bundle with another way to read text.

        Args:
            keep: regular expressions of what is kept untranslated as well.
            nothing: keep nothing.
            split: whether a line of several sentences is translated sentence by sentence, as the model's settings say.

        Raises:
            InputError: a pattern is not a regular expression.
        """
        if not keep and not nothing and split:
            return self
        kept = Keeping(self.src, self.tgt, nothing=True, lenient=True)
        how = self.reading or Reading(self.src, kept, split=False, normalisation=0)
        nothing = nothing or (how.keeping.nothing and not keep)
        keeping = replace(how.keeping, patterns=tuple(keep), nothing=nothing)
        return self._replace(reading=replace(how, keeping=keeping, split=how.split and split))


def reading_for(tokenizers: tuple[Tokenizer, Tokenizer], text: TextConfig, src: str, tgt: str) -> Reading | None:
    """How text is read for a model with these tokenizers and settings, from `src` to `tgt`; see `Bundle`."""
    if not (text.normalisation or text.keep or text.sentences):
        return None
    return reading(text, src, tgt, min(len(tokenizer.placeholders) for tokenizer in tokenizers))
