"""`evaluate` scores a model on a part of a corpus."""

from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.api.computing import torch_threads
from seq2seq.api.models import choose_direction, with_translation_memory
from seq2seq.api.translator import FolderPath, Translator, load, search_settings
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.scoring import METRICS, Score, score
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import Bundle, LineTranslator


def evaluate(
    model: Translator | FolderPath,
    data: str | None = None,
    *,
    split: str = "test",
    src: str | None = None,
    tgt: str | None = None,
    beam: int | None = None,
    memory: str | None = None,
    metrics: Sequence[str] = tuple(METRICS),
) -> list[Score]:
    """Translate a part of a corpus and score it: BLEU, chrF2 and TER, each with its sacreBLEU signature.

    Args:
        model: a translator, or the path of a model folder.
        data: parallel text, as `train` takes it; None: the corpus that ships.
        split: the part: "train", "dev", or a test part by its name.
        src: name of the source's file ending or column; None: the model's language. Of a model that knows several
            directions it is the language to translate from.
        tgt: the same for the target.
        beam: hypotheses kept at each step; None: the model's own number.
        memory: parallel text to use as a translation memory.
        metrics: "bleu", "chrf", "ter", or some of them.

    Raises:
        InputError: there is no such text or part, or the model does not know the direction.
    """
    translator = model if isinstance(model, Translator) else load(model)
    several = len(translator.directions) > 1
    direction = choose_direction(translator.directions, *((src, tgt) if several else (None, None)))
    bundle = translator.bundle(direction)
    bundle = with_translation_memory(bundle._replace(src=src or bundle.src, tgt=tgt or bundle.tgt), memory, None)
    config = search_settings(bundle.search, {} if beam is None else {"beam": beam})
    with torch_threads(translator.threads):
        return evaluate_part(bundle, config, data or "", split, metrics).scores


class Evaluation(NamedTuple):
    """The scores of a model on a part of a corpus of so many sentences."""

    sentences: int
    scores: list[Score]


def evaluate_part(bundle: Bundle, config: SearchConfig, data: str, split: str, metrics: Sequence[str]) -> Evaluation:
    """Translate the part `split` of the text `data`, in the bundle's languages, and score it.

    Raises:
        InputError: there is no such text or part.
    """
    pairs = load_split(DataConfig(where=data, src=bundle.src, tgt=bundle.tgt), split)
    translations = LineTranslator(bundle, config).translate([pair.src for pair in pairs])
    return Evaluation(len(pairs), score(translations, [[pair.tgt for pair in pairs]], metrics))
