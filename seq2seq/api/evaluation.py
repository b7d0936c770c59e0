"""`evaluate` translates a part of a corpus with a model and scores the translations."""

import os
from collections.abc import Sequence
from typing import NamedTuple, TypedDict, Unpack

from seq2seq.api.choosing import Choice
from seq2seq.api.computing import torch_threads
from seq2seq.api.models import data_of, places, with_translation_memory
from seq2seq.api.translator import FolderPath, Rescore, Translator, Types, check_types, load, search_settings
from seq2seq.errors import InputError
from seq2seq.text.corpus import load_split
from seq2seq.text.directions import Direction, choose_direction, find_language, listed
from seq2seq.text.multilingual import load_splits
from seq2seq.text.scoring import AUTO, METRICS, SEED, Score, check_tokenizer, score, tokenizer_for
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator


class EvaluateOptions(TypedDict, total=False):
    """Further keyword arguments of `evaluate`."""

    beam: int | None
    memory: str | Sequence[str] | None
    metrics: Sequence[str]
    tokenize: str
    confidence: bool
    rescore: Rescore
    weights: FolderPath | None
    mbr: str | None


_TYPES: Types = {  # of the arguments that are not checked where they are used
    "split": ((str,), "the name of a part as a str"),
    "src": ((str,), "a language as a str"),
    "tgt": ((str,), "a language as a str"),
    "weights": ((str, os.PathLike), "the path of a file"),
    "confidence": ((bool,), "True or False"),
}


class Measures(NamedTuple):
    """What is computed of translations."""

    metrics: Sequence[str] = tuple(METRICS)
    tokenize: str = AUTO  # one of scoring.TOKENIZERS; auto: by the target language, or the script of the references
    seed: int | None = None  # of the bootstrap for confidence intervals; None: no intervals


def evaluate(
    model: Translator | FolderPath,
    data: FolderPath | Sequence[FolderPath] | None = None,
    *,
    split: str = "test",
    src: str | None = None,
    tgt: str | None = None,
    **options: Unpack[EvaluateOptions],
) -> list[Score]:
    """Translate a part of a corpus and score it: BLEU, chrF2 and TER, each with its sacreBLEU signature.

    Args:
        model: a translator, or the path of a model folder.
        data: parallel text, as for `train`, or a list of such; None: the corpus that ships.
        split: the part: "train", "dev", or the name of a test part.
        src: ending or column name of the source text; None: the model's source language. For a model of several
            directions, the language to translate from.
        tgt: the same for the target.
        options:
            beam: hypotheses kept at each step; None: the model's own setting.
            memory: parallel text to use as a translation memory.
            metrics: names of metrics: "bleu", "chrf", "ter", one or a list; default: all.
            tokenize: how BLEU finds words: "13a", "intl", "zh", "ja-mecab", "ko-mecab" or "char"; "auto", the default:
                by the target language, and where that is not known by the script of the references.
            rescore, weights, mbr: as for `Translator.translate`.
            confidence: whether each score gets a 95 % confidence interval, by bootstrap: `mean` and `interval`.

    Raises:
        InputError: the text or the part does not exist, or the model does not know the direction.
        TypeError: an option is unknown, or of another type.
    """
    if unknown := options.keys() - EvaluateOptions.__annotations__.keys():
        raise TypeError(f"evaluate() got an unexpected keyword argument {min(unknown)!r}")
    check_types({"split": split, "src": src, "tgt": tgt, **options}, _TYPES)
    wheres, memory = places(data), places(options.get("memory"))
    translator = model if isinstance(model, Translator) else load(model)
    directions = translator.directions
    direction = directions[0] if len(directions) == 1 else choose_direction(directions, src, tgt)
    bundle = translator.bundle(direction)
    if bundle.directions:
        src, tgt = direction
    beam, metrics = options.get("beam"), options.get("metrics") or tuple(METRICS)
    metrics = [metrics] if isinstance(metrics, str) else metrics
    config = search_settings(bundle.search, {} if beam is None else {"beam": beam})
    seed = SEED if options.get("confidence") else None
    measures = Measures(metrics, options.get("tokenize") or AUTO, seed)
    choice = translator.choice(direction, options.get("rescore"), options.get("weights"), options.get("mbr"))
    task = Task(wheres, split, measures, memory, choice=choice)
    with torch_threads(translator.threads):
        [result] = evaluate_directions(bundle, config, task, src, tgt).values()
    return result.scores


class Evaluation(NamedTuple):
    """The number of sentences that were translated, and the scores of the translations."""

    sentences: int
    scores: list[Score]


class Task(NamedTuple):
    """What to score a model by.

    Args:
        data: places of parallel text; none: the corpus that ships.
        split: name of its part.
        measures: the metrics, and how they count.
        memory: parallel text to use as a translation memory; empty or None: none.
        share: weight of the memory; None: the default.
        choice: what chooses the translation among the n best; None: the search.
    """

    data: Sequence[str] = ()
    split: str = "test"
    measures: Measures = Measures()
    memory: str | Sequence[str] | None = None
    share: float | None = None
    choice: Choice | None = None


def evaluate_directions(
    bundle: Bundle, config: SearchConfig, task: Task, src: str | None, tgt: str | None
) -> dict[Direction, Evaluation]:
    """Translate and score the part in each direction that the model knows and the text holds.

    Args:
        bundle: the model.
        config: settings of the search.
        task: the text and the metrics.
        src, tgt: of a model of one direction, the names of its languages in the text; of a model of many languages, the
            only languages to translate from and to. None: the model's.

    Raises:
        InputError: the text or the part does not exist, the model does not know the direction, or the translation
            memory, a tokenizer or a rescoring model cannot be used.
    """
    check_tokenizer(task.measures.tokenize)
    own = bundle.src, bundle.tgt
    if not bundle.directions:
        bundle = bundle._replace(src=src or bundle.src, tgt=tgt or bundle.tgt)
        parts = {(bundle.src, bundle.tgt): load_split(data_of(bundle, task.data), task.split)}
    else:
        src, tgt = (find_language(bundle.directions, language) for language in (src, tgt))
        chosen = tuple((a, b) for a, b in bundle.directions if src in (a, None) and tgt in (b, None))
        if not chosen:
            wrong = f"no translation from {src or 'any language'} to {tgt or 'any language'}"
            raise InputError(f"{wrong}; there is {listed(bundle.directions)}; check --src and --tgt")
        parts = load_splits(data_of(bundle._replace(directions=chosen), task.data), task.split)
    result = dict[Direction, Evaluation]()
    for direction, pairs in parts.items():
        model = bundle.toward(direction) if bundle.directions else bundle
        model = with_translation_memory(model, task.memory, task.share)
        named = model if bundle.directions else model._replace(src=own[0], tgt=own[1])
        choose = task.choice and task.choice.rescoring(named, config)
        translations = LineTranslator(model, config, choose=choose).translate([pair.src for pair in pairs])
        references = [pair.tgt for pair in pairs]
        metrics, tokenize, seed = task.measures
        tokenize = tokenizer_for(direction[1], references) if tokenize == AUTO else tokenize
        scores = score(translations, [references], metrics, tokenize, seed)
        result[direction] = Evaluation(len(pairs), scores)
    return result
