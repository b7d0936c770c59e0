"""Synthetic training pairs, made by teacher models: distillation, back-translation, data diversification.

A teacher that translates in the direction of the training translates the source side (sequence-level knowledge
distillation, Kim & Rush 2016); a teacher of the opposite direction translates the target side (back-translation,
Sennrich et al. 2016). Several teachers of both kinds are data diversification (Nguyen et al. 2020).

This module does not know the model that is trained.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq.api.models import directions_in, open_model
from seq2seq.display import Display
from seq2seq.errors import InputError
from seq2seq.text import corpus
from seq2seq.text.directions import Direction, listed
from seq2seq.text.multilingual import Corpora
from seq2seq.text.scoring import closest, sentence_bleu, tokenizer_for
from seq2seq.text.sources import Pair
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.translator import LineTranslator


class Teacher(NamedTuple):
    """A model that translates in the direction of the training (`forward`), or in the opposite one."""

    forward: bool
    translator: LineTranslator


class Teachers(NamedTuple):
    """The models of `data.teachers`, each with the number of processes to translate with."""

    models: list[tuple[Bundle, int]]

    def of(self, direction: Direction) -> list[Teacher]:
        """The teachers of a direction of the training; a model of many languages may be both kinds."""
        return [
            Teacher(way == direction, LineTranslator(bundle.toward(way), bundle.search, workers=workers))
            for bundle, workers in self.models
            for way in (direction, direction[::-1])
            if way in bundle.known
        ]


def open_teachers(data: corpus.DataConfig, device: str, threads: int | None) -> Teachers:
    """The models of `data.teachers`; they are checked before any text is read.

    Raises:
        InputError: a teacher is no model or has other languages, or no teacher translates a file of `data.monolingual`.
    """
    trained = data.all_directions()
    either = {*trained, *(direction[::-1] for direction in trained)}
    known = [directions_in(Path(teacher)) for teacher in data.teachers]
    for teacher, directions in zip(data.teachers, known, strict=True):
        if either.isdisjoint(directions):
            raise InputError(
                f"the teacher {teacher} translates {listed(directions)}, not {listed(trained)} or back; "
                "give another teacher, or --src and --tgt"
            )
    for path in map(Path, data.monolingual):
        language = corpus.language_of(path, data)
        needed = sorted(direction for direction in either if direction[0] == language)
        if all(set(needed).isdisjoint(directions) for directions in known):
            raise InputError(f"--mono {path} needs a model that translates {listed(needed)}; give one as --teacher")
    return Teachers([open_model([Path(folder)], device, threads, None) for folder in data.teachers])


def with_teachers(corpora: Corpora, teachers: Teachers, say: Callable[[str], None], quiet: bool) -> Corpora:
    """The corpora with the synthetic pairs of each direction. Opposite directions have the same pairs."""
    result = dict[Direction, corpus.Corpus]()
    for direction, text in corpora.items():
        if opposite := result.get(direction[::-1]):
            pairs: Iterable[Pair] = (Pair(tgt, src) for src, tgt in opposite.synthetic)
        else:
            pairs = synthetic_pairs(teachers.of(direction), text, say, quiet)
        result[direction] = corpus.with_synthetic(text, pairs)
    return result


def synthetic_pairs(
    teachers: Sequence[Teacher], text: corpus.Corpus, say: Callable[[str], None], quiet: bool
) -> Iterator[Pair]:
    """Pairs of the training text and of the monolingual text with each teacher's translations of their lines.

    For a training line these are the teacher's best translation, and the one of its n-best list that is most similar
    to the reference (Kim & Rush 2016, sections 3.2 and 3.3); for a monolingual line, its best translation.
    """
    for forward, translator in teachers:
        source, target = (0, 1) if forward else (1, 0)
        lines = [*(pair[source] for pair in text.train), *text.monolingual[source]]
        stream = translator.stream(lines, lambda message: None)
        bleu = sentence_bleu(tokenizer_for(translator.bundle.tgt, (pair[target] for pair in text.train)))
        with Display(len(lines), 0, "line of a teacher", say, quiet) as display:
            for line, candidates, pair in itertools.zip_longest(lines, stream, text.train):
                texts = [candidate.text for candidate in candidates] or [""]
                selected = (texts[0], closest(texts, pair[target], bleu)) if pair else texts[:1]
                for translation in selected:
                    yield Pair(line, translation) if forward else Pair(translation, line)
                display.advance(str)
