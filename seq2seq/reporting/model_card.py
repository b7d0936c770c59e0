"""The model card: README.md of a model folder, which describes a trained model. Measures nothing itself."""

from typing import Any

from seq2seq.errors import shown
from seq2seq.text.corpus import shipped
from seq2seq.text.directions import listed
from seq2seq.training.settings import Settings
from seq2seq.versions import versions


def model_card(settings: Settings, result: dict[str, Any]) -> str:
    """Markdown text from the settings and the `result` of a training: scores, samples, minutes, sizes."""
    data, model, search = settings.data, settings.model, settings.search
    where = data.where if isinstance(data.where, str) else ", ".join(data.where)
    where = where or f"{shipped().name}: sentences by the Tatoeba contributors, under CC BY 2.0"
    recipe = f"`{result['recipe']}`, as resolved in `config.toml`" if result.get("recipe") else "`config.toml`"
    size, effort = f"{result['parameters']:,}", f"{result['updates']:,} updates in {result['minutes']:.1f} minutes"
    scores = [
        row(part, s["name"], f"{s['value']:.2f}", f"`{s['signature']}`")
        for part, part_scores in result["scores"].items()
        for s in part_scores
    ]
    samples = [row(*sample) for sample in result["samples"]]
    if data.languages:
        title, columns = f"Between {', '.join(data.languages)}", ["direction", "source", "translation", "reference"]
    else:
        title, columns = f"{data.src} to {data.tgt}", [data.src, "translation", "reference"]
    lines = "\n".join(
        [
            f"# {title}",
            "",
            f"A recurrent translation model: {model.cell}, context `{model.context}`, {size} parameters.",
            "",
            f"- Data: {where}",
            *_directions(settings),
            *(["- Writes its target from right to left: it is for `--rescore`"] if data.right_to_left else []),
            *_synthetic_data(settings),
            f"- Training: {effort}, seed {settings.training.seed}",
            *_kept(settings.training.finetuned, result["dev"]),
            f"- Versions: {versions()}",
            f"- Recipe: {recipe}",
            "- Licence: that of the data",
            "- Limits: it knows only the vocabulary of its data, and sentences of the same kind",
            f"- Search, for the scores and translations below: beam {search.beam}, length penalty "
            f"{search.length_penalty}, word reward {search.word_reward}",
            *_table(["part", "metric", "score", "signature"], scores),
            *_table(columns, samples),
            "",
        ]
    )
    return shown(lines)


def exported_card(card: str, form: str) -> str:
    """The card of a model exported in another form; its scores and samples stay those of the trained model."""
    note = f"- Form: `{form}`; the scores and translations below are those of the model it was exported from\n"
    return card.replace("- Limits: ", f"{note}- Limits: ", 1)


def row(*cells: str) -> str:
    r"""A row of a Markdown table; a `|` inside a cell, which would end it, is written `\|`."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _directions(settings: Settings) -> list[str]:
    """A line about the directions of a model of many languages."""
    data = settings.data
    return [f"- Directions: {listed(data.all_directions())}"] if data.languages else []


def _table(header: list[str], rows: list[str]) -> list[str]:
    """The lines of a table below an empty one; none if it has no rows, as of a run that was stopped."""
    return ["", row(*header), "|" + "---|" * len(header), *rows] if rows else []


def _kept(base: str, dev: dict[str, Any]) -> list[str]:
    """Lines about the weights: those of the model `base` that training began with, and those that the folder holds."""
    begin = [f"- Fine-tuned from: {base}"] if base else []
    if not dev:  # no validation, or none was better
        return [*begin, "- Kept: the weights of that model; no validation of others was better"] if base else []
    scores = ", ".join(
        f"{name} {dev[key]}"
        for name, key in (("BLEU", "dev_bleu"), ("chrF", "dev_chrf"), ("loss", "dev_loss"))
        if key in dev
    )
    return [*begin, f"- Kept: the weights of update {dev['step']:,}, the best on dev ({scores}; greedy search)"]


def _synthetic_data(settings: Settings) -> list[str]:
    """A line about the texts that teachers translated, if any; the settings do not hold the teachers' directions."""
    data = settings.data
    if not data.teachers:
        return []
    texts = ["the training part", *data.monolingual]
    ways = (
        f"by models from {data.src} to {data.tgt}, back-translation by models from {data.tgt} to {data.src}"
        if not data.languages
        else "in the directions of a model, back-translation in the opposite ones"
    )
    return [
        f"- Synthetic data: {', '.join(texts)}; translated by {', '.join(data.teachers)} (knowledge distillation "
        f"{ways})"
    ]
