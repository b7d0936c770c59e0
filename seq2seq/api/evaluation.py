"""`evaluate` translates a part of a corpus with a model and scores the translations."""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict, Unpack

from seq2seq.api.computing import torch_threads
from seq2seq.api.models import choose_direction, with_translation_memory
from seq2seq.api.translator import FolderPath, Translator, load, search_settings
from seq2seq.text.corpus import DataConfig, load_split
from seq2seq.text.scoring import AUTO, METRICS, SEED, Score, check_tokenizer, score, tokenizer_for
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator


class EvaluateOptions(TypedDict, total=False):
    """Further keyword arguments of `evaluate`."""

    beam: int | None
    memory: str | None
    metrics: Sequence[str]
    tokenize: str
    confidence: bool


class Measures(NamedTuple):
    """What is computed of translations."""

    metrics: Sequence[str] = tuple(METRICS)
    tokenize: str = AUTO  # one of scoring.TOKENIZERS; auto: by the target language, or the script of the references
    seed: int | None = None  # of the bootstrap for confidence intervals; None: no intervals


def evaluate(
    model: Translator | FolderPath,
    data: str | None = None,
    *,
    split: str = "test",
    src: str | None = None,
    tgt: str | None = None,
    **options: Unpack[EvaluateOptions],
) -> list[Score]:
    """Translate a part of a corpus and score it: BLEU, chrF2 and TER, each with its sacreBLEU signature.

    Args:
        model: a translator, or the path of a model folder.
        data: parallel text, as for `train`; None: the corpus that ships.
        split: the part: "train", "dev", or the name of a test part.
        src: ending or column name of the source text; None: the model's source language. For a model of several
            directions, the language to translate from.
        tgt: the same for the target.
        options:
            beam: hypotheses kept at each step; None: the model's own setting.
            memory: parallel text to use as a translation memory.
            metrics: names of metrics: "bleu", "chrf", "ter"; default: all.
            tokenize: how BLEU finds words: "13a", "intl", "zh", "ja-mecab", "ko-mecab" or "char"; "auto", the default:
                by the target language, and where that is not known by the script of the references.
            confidence: whether each score gets a 95 % confidence interval, by bootstrap: `mean` and `interval`.

    Raises:
        InputError: the text or the part does not exist, or the model does not know the direction.
        TypeError: an option is unknown.
    """
    if unknown := options.keys() - EvaluateOptions.__annotations__.keys():
        raise TypeError(f"evaluate() got an unexpected keyword argument {min(unknown)!r}")
    translator = model if isinstance(model, Translator) else load(model)
    directions = translator.directions
    bundle = translator.bundle(directions[0] if len(directions) == 1 else choose_direction(directions, src, tgt))
    bundle = bundle._replace(src=src or bundle.src, tgt=tgt or bundle.tgt)
    beam = options.get("beam")
    config = search_settings(bundle.search, {} if beam is None else {"beam": beam})
    seed = SEED if options.get("confidence") else None
    measures = Measures(options.get("metrics", tuple(METRICS)), options.get("tokenize", AUTO), seed)
    with torch_threads(translator.threads):
        return evaluate_part(bundle, config, data or "", split, measures, options.get("memory")).scores


class Evaluation(NamedTuple):
    """The number of sentences that were translated, and the scores of the translations."""

    sentences: int
    scores: list[Score]


def evaluate_part(
    bundle: Bundle,
    config: SearchConfig,
    data: str,
    split: str,
    measures: Measures,
    memory: str | None = None,
    share: float | None = None,
) -> Evaluation:
    """Translate the part `split` of the text `data`, in the bundle's languages, and score the translations.

    Args:
        bundle: the model; its languages name the files or columns of the text.
        config: settings of the search.
        data: parallel text; empty: the corpus that ships.
        split: name of the part.
        measures: the metrics, and how they count.
        memory: parallel text to use as a translation memory; None: none.
        share: weight of the memory; None: the default.

    Raises:
        InputError: the text or the part does not exist, or the translation memory or a tokenizer cannot be used.
    """
    check_tokenizer(measures.tokenize)
    pairs = load_split(DataConfig(where=data, src=bundle.src, tgt=bundle.tgt), split)
    bundle = with_translation_memory(bundle, memory, share)
    translations = LineTranslator(bundle, config).translate([pair.src for pair in pairs])
    references = [pair.tgt for pair in pairs]
    tokenize = tokenizer_for(bundle.tgt, references) if measures.tokenize == AUTO else measures.tokenize
    return Evaluation(len(pairs), score(translations, [references], measures.metrics, tokenize, measures.seed))
