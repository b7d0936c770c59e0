"""Asks models of both directions whether the pairs of a text are translations of each other: a check for `corpus`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from seq2seq.api.exported import exported_once
from seq2seq.api.models import directions_in, open_model, shipped_models
from seq2seq.errors import InputError
from seq2seq.text.adequacy import Entropies, others, unlikely
from seq2seq.text.directions import Direction, find_language, name_of
from seq2seq.text.suspects import Check
from seq2seq.translation.translator import LineTranslator

FEWEST = 200  # pairs, among which it shows how well the models know the text
MOST = 20_000  # pairs that the models that ship are asked about without being named


def dual_check(folders: Sequence[Path], languages: Direction, say: Callable[[str], None]) -> Check | None:
    """A check of pairs by the cross-entropies of both directions; None if no models are given and none that ship fit.

    The models compute in their int8 form where onnxruntime is installed.

    Args:
        folders: models which together know both directions; none: those that ship.
        languages: of the pairs.
        say: is told how many pairs the models are asked about, or why they are not.

    Raises:
        InputError: the models do not know both directions, or cannot be opened.
    """
    known: Mapping[Direction, Path] = _directions(folders) if folders else shipped_models()
    src, tgt = (find_language(known, language) or language for language in languages)
    if lacking := [direction for direction in ((src, tgt), (tgt, src)) if direction not in known]:
        if folders:
            raise InputError(f"no --model translates {' to '.join(lacking[0])}; give models of both directions")
        return None

    def check(sources: Sequence[str], targets: Sequence[str], _: tuple[str, str]) -> list[str]:
        count = len(sources)
        if count < FEWEST or (count > MOST and not folders):
            if count > MOST:
                asked = f"--model {known[src, tgt]} --model {known[tgt, src]}"
                say(f"note: no model is asked about so many pairs; {asked} asks those that ship")
            return [""] * count
        say(f"asking models of {name_of((src, tgt))} and back about {count:,} pairs")
        forward, backward = _open(known[src, tgt], (src, tgt)), _open(known[tgt, src], (tgt, src))
        rows = others(sources, targets)
        own = Entropies(forward.cross_entropies(sources, targets), backward.cross_entropies(targets, sources))
        mismatched = Entropies(
            forward.cross_entropies([sources[i] for i in rows], targets),
            backward.cross_entropies([targets[i] for i in rows], sources),
        )
        return unlikely(sources, targets, own, mismatched)

    return check


def _directions(folders: Sequence[Path]) -> dict[Direction, Path]:
    return {d: folder for folder in folders for d in directions_in(folder)}


def _open(folder: Path, direction: Direction) -> LineTranslator:
    bundle, _ = open_model([exported_once(folder, lambda message: None)])
    return LineTranslator(bundle.toward(direction), bundle.search)
