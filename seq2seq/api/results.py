"""A finished run: its scores, samples and model card."""

from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.api.planning import Plan
from seq2seq.api.translator import Translator
from seq2seq.folder import checkpoint, files, layout
from seq2seq.reporting.model_card import model_card
from seq2seq.text.directions import name_of
from seq2seq.text.multilingual import Corpora
from seq2seq.text.scoring import Score, score, tokenizer_for
from seq2seq.training.distributed import ProcessGroup
from seq2seq.training.settings import Settings
from seq2seq.training.trainer import Trainer
from seq2seq.translation.translator import LineTranslator

SAMPLES = 10  # number of held-out sentences in `Run.samples`


class Run(NamedTuple):
    """A finished training. `scores` and `samples` are of the best weights, and empty on ranks other than 0."""

    folder: Path
    model: Translator
    settings: Settings
    recipe: str | None
    parameters: int
    updates: int
    minutes: float
    dev: dict[str, Any]  # the metrics of the best validation
    # Of each test part, or of dev if there is none: "test"; of a model of many languages "test en-de".
    scores: dict[str, list[Score]]
    # Some held-out sentences: source, translation, reference; of a model of many languages the direction before them.
    samples: list[list[str]]

    def as_dict(self) -> dict[str, Any]:
        """The run as plain values, for JSON."""
        values = self._asdict() | {"folder": str(self.folder)}
        values["scores"] = {part: [s.as_dict() for s in scores] for part, scores in self.scores.items()}
        return {name: value for name, value in values.items() if name not in ("model", "settings")}


def run_of(plan: Plan, trainer: Trainer, device: str) -> Run:
    """The run, without scores and samples."""
    progress, directions = trainer.progress, plan.settings.data.all_directions()
    return Run(
        folder=plan.folder,
        model=Translator(dict.fromkeys(directions, (plan.folder.absolute(),)), device=device),
        settings=plan.settings,
        recipe=plan.recipe,
        parameters=sum(w.numel() for w in trainer.weights.values()),
        updates=progress.step,
        minutes=round(progress.minutes, 2),
        dev=next((m for m in progress.metrics if m["step"] == progress.best_step), {}),
        scores={},
        samples=[],
    )


def write_card(run: Run) -> None:
    """Write the model card of a run into its folder."""
    files.write(run.folder / layout.CARD, model_card(run.settings, run.as_dict()).encode())


def scored(run: Run, text: Corpora, device: str, ranks: ProcessGroup) -> Run:
    """The run with samples and the scores of the best weights on every test part, or on dev if there is none.

    All ranks translate; rank 0 alone scores, and the run of the others stays as it is.
    """
    bundle = checkpoint.load_model(run.folder, device)
    scores: dict[str, list[Score]] = {}
    samples: list[list[str]] = []
    for direction, each in text.items():
        translator = LineTranslator(bundle.toward(direction), run.settings.search)
        label = [name_of(direction)] if bundle.directions else []
        count = max(1, SAMPLES // len(text))
        for number, (name, pairs) in enumerate((each.tests or {"dev": each.dev}).items()):
            translations = ranks.share_out([pair.src for pair in pairs], translator.translate)
            if not ranks.is_main:
                continue
            references = [pair.tgt for pair in pairs]
            tokenizer = tokenizer_for(direction[1], references)
            scores[" ".join([name, *label])] = score(translations, [references], ("bleu", "chrf"), tokenizer)
            if number == 0:
                rows = range(0, len(pairs), max(1, len(pairs) // count))[:count]
                samples += [[*label, pairs[i].src, translations[i], pairs[i].tgt] for i in rows]
    return run._replace(scores=scores, samples=samples)
