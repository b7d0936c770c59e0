"""A model ready to translate: its engine, tokenizers and settings, and how text is read for it.

A model of many languages reads a token of the target's language before the source (Johnson et al. 2017): `Bundle.lead`.
Everything else is as for two languages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import build
from seq2seq.errors import InputError
from seq2seq.segments.glossary import Terms
from seq2seq.segments.keeping import Keeping
from seq2seq.segments.reading import Reading
from seq2seq.text import batches
from seq2seq.text.directions import Direction, directions_of, listed
from seq2seq.text.preparation import LONGEST, TextConfig, reading
from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation.beam import Ids, LogProbs
from seq2seq.translation.search import Proposal, SearchConfig
from seq2seq.translation.translation_memory import TranslationMemory

Mask = NDArray[np.bool_]


class Engine(Protocol):
    """What computes a model, as search and scoring use it. Padding is on the right; masks: True = real token.

    `aligns`: the model has attention weights over the source, so that the `source` of a proposal means something.
    `remembers`: it can use a translation memory, which models that were exported by earlier versions cannot.
    `has_memory`: it uses one.
    """

    aligns: bool
    remembers: bool
    has_memory: bool

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

    def with_memory(self, memory: TranslationMemory, share: float) -> "Engine":
        """The engine with a translation memory, whose neighbours have `share` of the probability of each token."""


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
    directions: tuple[Direction, ...] = ()  # of a model of many languages; empty: from `src` to `tgt` alone
    lead: tuple[int, ...] = ()  # tokens before each source: of a model of many languages, that of `tgt`
    right_to_left: bool = False  # the engine's targets are reversed: the last token comes first, EOS after the first
    terms: Terms = Terms()  # a glossary, and phrases that translations do not have

    @classmethod
    def of(
        cls,
        engine: Engine,
        tokenizers: tuple[Tokenizer, Tokenizer],
        search: SearchConfig,
        text: TextConfig,
        directions: Sequence[Direction],
    ) -> "Bundle":
        """The bundle of a model that knows these directions, in the first of them."""
        src, tgt = directions[0]
        how = _toward(reading_for(tokenizers, text, src, tgt), tokenizers[0], (src, tgt))
        bundle = cls(engine, *tokenizers, search, src, tgt, how, text.longest or LONGEST)
        return bundle._replace(directions=tuple(directions)).toward((src, tgt)) if tokenizers[0].languages else bundle

    @classmethod
    def from_settings(
        cls, engine: Engine, tokenizers: tuple[Tokenizer, Tokenizer], sections: Mapping[str, Mapping[str, Any]]
    ) -> "Bundle":
        """The bundle with the settings and languages from a model folder's settings.

        Raises:
            InputError: a setting is wrong, or the tokenizer has no token for a language.
        """
        search, data = build(SearchConfig, sections.get("search", {}), "search"), sections.get("data", {})
        text = build(TextConfig, sections.get("text", {}), "text")
        directions, known = directions_of(data), tokenizers[0].languages
        lacking = [tgt for _, tgt in directions if tgt not in known]
        if lacking and (known or data.get("languages")):
            raise InputError(f"the tokenizer has no token for the language {lacking[0]}; restore the folder's own")
        bundle = cls.of(engine, tokenizers, search, text, directions)
        return bundle._replace(right_to_left=data.get("right_to_left") is True)

    @property
    def known(self) -> tuple[Direction, ...]:
        """The directions that the model knows."""
        return self.directions or ((self.src, self.tgt),)

    def toward(self, direction: Direction) -> "Bundle":
        """The bundle for this direction, one of `known`; what else was changed in the reading stays.

        Raises:
            InputError: the model does not know the direction.
        """
        src, tgt = direction
        if direction not in self.known:
            raise InputError(f"no translation from {src} to {tgt}; there is {listed(self.known)}; choose one of these")
        if not self.directions:
            return self
        how = _toward(self.reading, self.src_tokenizer, direction)
        return self._replace(src=src, tgt=tgt, reading=how, lead=(self.src_tokenizer.languages[tgt],))

    @property
    def reserved(self) -> list[int]:
        """Target tokens that stand in a translation only where its request requires them, or nowhere."""
        return [*self.tgt_tokenizer.placeholders, *self.tgt_tokenizer.languages.values()]

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

    def check_memory(self) -> None:
        """Check that the engine can use a translation memory.

        Raises:
            InputError: it cannot.
        """
        if not self.engine.remembers:
            raise InputError(
                "a model that was exported by an earlier version cannot use a translation memory; export it again, "
                "give the trained one, or omit --memory"
            )

    def with_memory(self, sources: Ragged, targets: Ragged, share: float) -> "Bundle":
        """The bundle with a translation memory, whose neighbours have `share` of the probability of each token.

        Args:
            sources, targets: the memory's pairs as the model reads them, encoded; at least one pair.
            share: 0 to 1; see `nearest_neighbour`.
        """
        for token in self.lead:
            sources = sources.prefixed(np.full(len(sources), token, np.int32))
        memory = TranslationMemory(sources, targets.reversed() if self.right_to_left else targets)
        return self._replace(engine=self.engine.with_memory(memory, share))


def _toward(how: Reading | None, tokenizer: Tokenizer, direction: Direction) -> Reading | None:
    """The way of reading for this direction, in which names are kept that the source's tokenizer does not know."""
    if how is None:
        return None
    src, tgt = direction
    names = tokenizer.known_words.names(direction) if tokenizer.known_words else None
    return replace(how, src=src, keeping=replace(how.keeping, src=src, tgt=tgt, names=names))


def reading_for(tokenizers: tuple[Tokenizer, Tokenizer], text: TextConfig, src: str, tgt: str) -> Reading | None:
    """How text is read for a model with these tokenizers and settings, from `src` to `tgt`; see `Bundle`."""
    if not (text.normalisation or text.keep or text.sentences):
        return None
    return reading(text, src, tgt, min(len(tokenizer.placeholders) for tokenizer in tokenizers))
