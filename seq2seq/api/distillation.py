"""Synthetic training pairs, made by teacher models: distillation, back-translation, data diversification.

A teacher that translates in the direction of the training translates the source side (sequence-level knowledge
distillation, Kim & Rush 2016); a teacher of the opposite direction translates the target side (back-translation,
Sennrich et al. 2016). Several teachers of both kinds are data diversification (Nguyen et al. 2020).

This module does not know the model that is trained.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq.api.models import open_model
from seq2seq.display import Display
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.text import corpus
from seq2seq.text.scoring import closest, sentence_bleu, tokenizer_for
from seq2seq.text.sources import Pair
from seq2seq.translation.translator import LineTranslator


class Teacher(NamedTuple):
    """A model that translates in the direction of the training (`forward`), or in the opposite one."""

    forward: bool
    translator: LineTranslator


def open_teachers(data: corpus.DataConfig, device: str, threads: int | None) -> list[Teacher]:
    """The models of `data.teachers`; they are checked before any text is read.

    Raises:
        InputError: a teacher is no model or has other languages, or no teacher translates a file of `data.monolingual`.
    """
    forward = [_is_forward(Path(teacher), data) for teacher in data.teachers]
    for path in map(Path, data.monolingual):
        is_source = corpus.side_of(path, data) == 0
        if is_source not in forward:
            src, tgt = (data.src, data.tgt) if is_source else (data.tgt, data.src)
            raise InputError(f"--mono {path} needs a model that translates {src} to {tgt}; give one as --teacher")
    teachers = []
    for is_forward, folder in zip(forward, data.teachers, strict=True):
        bundle, workers = open_model([Path(folder)], device, threads, None)
        teachers.append(Teacher(is_forward, LineTranslator(bundle, bundle.search, workers=workers)))
    return teachers


def _is_forward(teacher: Path, data: corpus.DataConfig) -> bool:
    """Whether the teacher translates in the direction of the training; otherwise it is of the opposite one."""
    known = layout.read_settings(teacher).get("data", {})
    direction = known.get("src"), known.get("tgt")
    if direction not in ((data.src, data.tgt), (data.tgt, data.src)):
        raise InputError(
            f"the teacher {teacher} translates {direction[0]} to {direction[1]}, not {data.src} to {data.tgt} or back; "
            "give another teacher, or --src and --tgt"
        )
    return direction == (data.src, data.tgt)


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
