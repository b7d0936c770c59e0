"""Chooses the weights of rescoring on a part of a corpus, and writes them as a file for `translate --weights`."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seq2seq.api.choosing import SECTION, Weights
from seq2seq.api.evaluation import Evaluation, Task
from seq2seq.api.models import data_of, with_translation_memory
from seq2seq.config import to_toml
from seq2seq.errors import InputError
from seq2seq.text.corpus import load_split
from seq2seq.text.scoring import AUTO, Objective, score, tokenizer_for
from seq2seq.translation import tuning
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.rescoring import Rescoring
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translator import LineTranslator


class TunedWeights(NamedTuple):
    """Weights of rescoring, and the scores on the text that they were chosen on."""

    weights: Weights
    about: dict[str, Any]  # the text, the metric, and its values before and after
    evaluation: Evaluation

    def toml(self) -> str:
        """The file of weights."""
        return to_toml({SECTION: asdict(self.weights), "tuned": self.about})


def tune(
    bundle: Bundle, config: SearchConfig, task: Task, languages: tuple[str | None, str | None], place: Path
) -> TunedWeights:
    """The weights of the task's choice that the task's first metric scores best on its part.

    Args:
        bundle: the model, in the direction to translate.
        config: settings of the search.
        task: the text, the metrics and the rescoring models.
        languages: names of the languages in the text; None: the model's.
        place: the folder that names of models are relative to.

    Raises:
        InputError: there is nothing to tune, or the text or a model cannot be used.
    """
    choice = task.choice
    if choice and choice.mbr:
        raise InputError("--tune chooses weights, which --mbr bypasses; leave out --mbr")
    models = choice.models if choice else ()
    if not models and config.length_penalty == 1:
        raise InputError("--tune has nothing to weigh; give --rescore DIR, or a --length-penalty other than 1")
    named = bundle._replace(src=languages[0] or bundle.src, tgt=languages[1] or bundle.tgt)
    pairs = load_split(data_of(named._replace(directions=()), task.data), task.split)
    model = with_translation_memory(bundle, task.memory, task.share)
    metrics, tokenize, seed = task.measures
    refs = [pair.tgt for pair in pairs]
    tokenize = tokenizer_for(named.tgt, refs) if tokenize == AUTO else tokenize
    rescoring = Rescoring(model, config, [each.rescorer(model) for each in models])
    objective = Objective(metrics[0], tokenize)
    dev = tuning.Dev(LineTranslator(model, config), rescoring, [pair.src for pair in pairs], refs, objective)
    start = np.array([choice.length if choice else 0.0, *(each.weight for each in models)])
    found = tuning.tune(dev, start)
    length, *weights = found.weights.tolist()
    names = tuple(os.path.relpath(Path(each.name).resolve(), place.resolve()) for each in models)
    values = [round(objective.sign * value, 4) for value in (found.before, found.value)]
    about = {"text": task.data or "shipped", "split": task.split, "beam": config.beam, "metric": metrics[0]}
    about |= {"before": values[0], "after": values[1]}
    scores = score(found.texts, [refs], metrics, tokenize, seed)
    return TunedWeights(Weights(names, tuple(weights), length), about, Evaluation(len(pairs), scores))
