"""The search for units: batches of them go through an engine. Terms take their places in what it found, and what
repeats itself is searched for again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from seq2seq.text import batches
from seq2seq.text.tokenizer import BOS, EOS, Tokenizer
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.constraints import Vocabulary
from seq2seq.translation.loops import LEAST_OF_SOURCE, Weights, looping, may_loop, weights_of
from seq2seq.translation.phrase_text import Avoided, Wanted, Wish
from seq2seq.translation.phrases import Phrases, Spelling
from seq2seq.translation.replacing import with_terms, without_place
from seq2seq.translation.search import Hypothesis, Request, SearchConfig, search
from seq2seq.translation.units import Unit

COUNTED = 64  # tokens of a sentence that count for the size of a batch: a step of few rows takes as long as one of many
MOST_WANTED = 200  # different wanted phrases that are followed at once
MOST_LOST = 0.3  # nats a token that a translation without loops may be less probable than one with them


class UnitSearch:
    """Searches for translations of units, and scores them.

    Args:
        bundle: the model.
        config: the settings of the search.
        batch_tokens: most tokens of a batch, padding included; changes no result.
    """

    def __init__(self, bundle: Bundle, config: SearchConfig, batch_tokens: int) -> None:
        self.bundle, self.engine, self.config, self.batch_tokens = bundle, bundle.engine, config, batch_tokens

    def search(self, units: Sequence[Unit]) -> list[list[Hypothesis]]:
        """The hypotheses of each unit, best first. Samples depend on the seed and the numbers of the unit alone."""
        given = self._given(units)
        searched = [row for row in range(len(units)) if row not in given]
        plain = (_plain(units[row]) if units[row].wish.terms else units[row] for row in searched)
        found = dict(zip(searched, self._found(list(plain)), strict=True)) | given
        results = [found[row] for row in range(len(units))]
        rows = [row for row in searched if units[row].wish.terms]
        bound = self._bound([units[row] for row in rows], [results[row] for row in rows])
        for row, hypotheses in zip(rows, bound, strict=True):
            results[row] = hypotheses
        if self.config.sample:
            results = [sorted(hypotheses, key=lambda h: (-h.score, h.tokens)) for hypotheses in results]
        return results

    def _given(self, units: Sequence[Unit]) -> dict[int, list[Hypothesis]]:
        """The one hypothesis of each unit whose translation a glossary has, by the unit's row."""
        rows = [row for row, unit in enumerate(units) if unit.whole]
        tokens = self.bundle.tgt_tokenizer.encode([units[row].whole for row in rows])
        forced = self.forced([units[row] for row in rows], [[ids] for ids in tokens])
        return {row: [best] for row, (best,) in zip(rows, forced, strict=True) if best}

    def _bound(self, units: Sequence[Unit], found: Sequence[list[Hypothesis]]) -> list[list[Hypothesis]]:
        """The hypotheses of units with their terms, from those that the plain search found.

        Terms take the place of what the model writes for them. Those that have none are written by a constrained
        search: alone, and where that does not help, with the others.
        """
        placed = self._placed(units, found)
        if self.config.sample:
            left = [i for i, hypotheses in enumerate(placed) if not all(hypotheses)]
            for i, drawn in zip(left, self._found([units[i] for i in left]), strict=True):
                placed[i] = [one or other for one, other in zip(placed[i], drawn, strict=True)]
        else:
            left = [i for i, hypotheses in enumerate(placed) if not any(hypotheses)]
            wishes = [without_place(units[i], found[i], *self._tokenizers) for i in left]
            written = self._found([units[i]._replace(wish=wish) for i, wish in zip(left, wishes, strict=True)])
            others = [_without(units[i], wish) for i, wish in zip(left, wishes, strict=True)]
            placed = _with(placed, left, self._placed(others, written))
            left = [i for i in left if not any(placed[i])]
            placed = _with(placed, left, self._found([units[i] for i in left]))
        return [[hypothesis for hypothesis in hypotheses if hypothesis] for hypotheses in placed]

    @property
    def _tokenizers(self) -> tuple[Tokenizer, Tokenizer]:
        return self.bundle.src_tokenizer, self.bundle.tgt_tokenizer

    def _placed(self, units: Sequence[Unit], found: Sequence[list[Hypothesis]]) -> list[list[Hypothesis | None]]:
        """The hypotheses of each unit with its terms in the place of what is aligned to them; None where there is none.

        Their scores are those of the hypotheses that they come from.
        """
        made = [with_terms(unit, hypotheses, *self._tokenizers) for unit, hypotheses in zip(units, found, strict=True)]
        tgt = self.bundle.tgt_tokenizer
        forced = self.forced(units, [tgt.encode([each.text for each in of_unit if each]) for of_unit in made])
        results = list[list[Hypothesis | None]]()
        for of_unit, waiting in zip(made, map(iter, forced), strict=True):
            results.append([])
            for each in of_unit:
                if each and (h := next(waiting)):
                    sources = each.sources(h.sources, tgt.ends(h.tokens))
                    results[-1].append(h._replace(score=each.score, sources=sources))
                else:
                    results[-1].append(None)
        return results

    def _found(self, units: Sequence[Unit]) -> list[list[Hypothesis]]:
        """The hypotheses of each unit as its search finds them.

        Where the best one or a sample holds a loop, and the source none, the unit is searched again for hypotheses
        without loops. They are taken if they are not much less probable; samples one by one. A translation memory may
        say anything twice.
        """
        if not units:
            return []
        results = self._searched(units)
        if rows := [] if self.engine.has_memory else self._looping(units, results):
            again = self._searched([units[row] for row in rows], self._weights[1])
            for row, others in zip(rows, again, strict=True):
                pairs = list(zip(results[row], others, strict=False))
                if self.config.sample:  # those that held no loop were drawn again
                    results[row] = [new if _nearly(new, old) else old for old, new in pairs]
                elif _nearly(*pairs[0][::-1]):
                    results[row] = others
        return results

    def forced(self, units: Sequence[Unit], tokens: Sequence[Sequence[list[int]]]) -> list[list[Hypothesis | None]]:
        """The hypotheses of these translations of each unit, as tokens from left to right.

        None for one that a search without phrases could not find.
        """
        allowed = [[self._allows(unit, ids) for ids in of_unit] for unit, of_unit in zip(units, tokens, strict=True)]
        step = -1 if self.bundle.right_to_left else 1
        requests = [
            unit._replace(prefix=[*ids[::step], EOS], wish=Wish())
            for unit, *of_unit in zip(units, tokens, allowed, strict=True)
            for ids, is_allowed in zip(*of_unit, strict=True)
            if is_allowed
        ]
        config = replace(self.config, beam=1, sample=0.0, no_repeat_ngram=0)
        search = UnitSearch(self.bundle, config, self.batch_tokens)
        found = (best for best, *_ in (search._searched(requests) if requests else []))
        return [[next(found) if is_allowed else None for is_allowed in of_unit] for of_unit in allowed]

    def _allows(self, unit: Unit, tokens: list[int]) -> bool:
        """Whether a search without phrases could find these tokens."""
        config, reserved, n = self.config, self.bundle.reserved, self.config.no_repeat_ngram
        ngrams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)] if n else []
        return (
            max(config.min_length, 1) <= len(tokens) < self._limit(unit)
            and sorted(token for token in tokens if token in reserved) == sorted(unit.required)
            and tokens[: len(unit.prefix)] == unit.prefix
            and len(set(ngrams)) == len(ngrams)
        )

    def _limit(self, unit: Unit) -> int:
        """The most tokens of the unit's translation, EOS included: wanted phrases may be longer than the source."""
        limit, wanted = self.config.limit(len(unit.ids) + 1), unit.wish.wanted
        if wanted and not self.config.max_length:
            tokens = self.bundle.tgt_tokenizer.encode([phrase.text for phrase, _ in wanted])
            limit += sum(len(ids) * count for ids, (_, count) in zip(tokens, wanted, strict=True))
        return limit

    def _looping(self, units: Sequence[Unit], results: Sequence[list[Hypothesis]]) -> list[int]:
        """The rows of the units whose best hypothesis, or one of whose samples, holds a loop, and whose source none."""
        seen = [
            (row, hypothesis.tokens)
            for row, hypotheses in enumerate(results)
            for hypothesis in (hypotheses if self.config.sample else hypotheses[:1])
            if may_loop(hypothesis.tokens)
        ]
        if not seen:
            return []
        src, tgt = self._weights
        in_target = looping([tokens for _, tokens in seen], tgt)
        in_source = looping([units[row].ids for row, _ in seen], src, LEAST_OF_SOURCE)
        loops = (in_target & ~in_source).tolist()
        return list(dict.fromkeys(row for (row, _), loop in zip(seen, loops, strict=True) if loop))

    @cached_property
    def _weights(self) -> tuple[Weights, Weights]:
        """The weights in a loop of the source tokens, and of the target tokens."""
        return weights_of(self.bundle.src_tokenizer.texts), weights_of(self.bundle.tgt_tokenizer.texts)

    def _searched(self, units: Sequence[Unit], loops: Weights | None = None) -> list[list[Hypothesis]]:
        """The hypotheses of each unit; where the weights of tokens are given, none holds a loop."""
        config, times = replace(self.config, min_length=max(self.config.min_length, 1)), 1  # a line is not empty
        if config.sample:
            config, times = replace(config, beam=1), config.beam
        results: list[list[Hypothesis]] = [[] for _ in units]
        searches = [(i, sample) for i in range(len(units)) for sample in range(times)]
        lengths = [[len(units[i].ids) + 1] for i, _ in searches]
        plan = [[searches[row] for row in rows] for rows in batches.plan(lengths, self.batch_tokens, counted=COUNTED)]
        for batch, vocabulary in zip(plan, self._vocabularies([[units[i] for i, _ in b] for b in plan]), strict=True):
            state = self.engine.start(*batches.pad([[*units[i].ids, EOS] for i, _ in batch]))
            requests = [
                Request(self._limit(unit), unit.prefix, unit.required, unit.wish)
                for unit in (units[i] for i, _ in batch)
            ]
            seeds = [(config.seed, units[i].line, units[i].number, sample) for i, sample in batch if config.sample]
            rngs = [np.random.default_rng(seed) for seed in seeds]
            vocabulary = vocabulary._replace(loops=loops)
            of_batch = search(self.engine.propose, state, requests, config, BOS, EOS, rngs, vocabulary)
            for (i, _), hypotheses in zip(batch, of_batch, strict=True):
                results[i].extend(hypotheses)
        if self.bundle.right_to_left:
            results = [
                [h._replace(tokens=h.tokens[::-1], sources=h.sources[::-1]) for h in hypotheses]
                for hypotheses in results
            ]
        return results

    def _vocabularies(self, plan: Sequence[Sequence[Unit]]) -> Iterator[Vocabulary]:
        """For each batch of units what their search needs to know of the target tokens."""
        tokenizer, reserved = self.bundle.tgt_tokenizer, self.bundle.reserved
        spelling = Spelling(tokenizer.texts, lambda text: tokenizer.encode([text])[0], EOS)
        done = 0
        while done < len(plan):
            wanted, avoided, count = dict[Wanted, None](), dict[Avoided, None](), 0
            for batch in plan[done:]:
                if count and len(wanted) > MOST_WANTED:
                    break
                wanted |= {phrase: None for unit in batch for phrase, _ in unit.wish.wanted}
                avoided |= {unit.wish.avoided: None for unit in batch}
                count += 1
            has_phrases = wanted or any(each.phrases for each in avoided)
            phrases = Phrases(spelling, list(wanted), list(avoided)) if has_phrases else None
            for _ in range(count):
                yield Vocabulary(reserved, phrases)
                done += 1
                if phrases and phrases.is_large:
                    break

    def log_probs(self, src: Sequence[list[int]], tgt: Sequence[list[int]]) -> list[float]:
        """log p(tgt | src) of each pair of tokens in nats: sources with the bundle's `lead`; both without EOS."""
        if self.bundle.right_to_left:
            tgt = [ids[::-1] for ids in tgt]
        sides, result = (src, tgt), [0.0] * len(src)
        for rows in batches.plan_pairs(*sides, self.batch_tokens):
            totals = self.engine.log_probs(batches.pad_pairs(*sides, rows))
            for i, total in zip(rows, totals.tolist(), strict=True):
                result[i] = total
        return result


def _with(
    lists: Sequence[list[Hypothesis | None]], rows: Sequence[int], others: Sequence[Sequence[Hypothesis | None]]
) -> list[list[Hypothesis | None]]:
    """The lists, with others in the place of those of some rows."""
    result = list(lists)
    for row, other in zip(rows, others, strict=True):
        result[row] = list(other)
    return result


def _plain(unit: Unit) -> Unit:
    """The unit without its terms."""
    return unit._replace(wish=Wish(avoided=unit.wish.avoided))


def _without(unit: Unit, written: Wish) -> Unit:
    """The unit with those of its terms alone that are no terms of another wish; its phrases are those of all."""
    return unit._replace(wish=unit.wish._replace(terms=tuple(t for t in unit.wish.terms if t not in written.terms)))


def _nearly(new: Hypothesis, old: Hypothesis) -> bool:
    """Whether one hypothesis is as probable as another, or nearly so, a token."""
    new_mean, old_mean = (each.log_prob / (len(each.tokens) + 1) for each in (new, old))
    return new_mean >= old_mean - MOST_LOST
