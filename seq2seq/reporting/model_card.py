"""The model card: what a trained model is, in the README.md of its folder."""

from typing import Any

from seq2seq.text.corpus import shipped
from seq2seq.training.settings import Settings
from seq2seq.versions import versions


def model_card(settings: Settings, result: dict[str, Any]) -> str:
    """Markdown text from the settings and the `result` of a training: scores, samples, minutes, sizes."""
    data, model, search = settings.data, settings.model, settings.search
    where = data.where or f"{shipped().name}: sentences by the Tatoeba contributors, under CC BY 2.0"
    if data.teachers:
        more = f" and to {', '.join(data.monolingual)}" if data.monolingual else ""
        where += f"; and what these models say to its training part{more}: {', '.join(data.teachers)}"
    recipe = f"`{result['recipe']}`, as resolved in `config.toml`" if result.get("recipe") else "`config.toml`"
    size, effort = f"{result['parameters']:,}", f"{result['updates']:,} updates in {result['minutes']:.1f} minutes"
    rows = [
        row(part, s["name"], f"{s['value']:.2f}", f"`{s['signature']}`")
        for part, scores in result["scores"].items()
        for s in scores
    ]
    samples = [row(*sample) for sample in result["samples"]]
    return "\n".join(
        [
            f"# {data.src} to {data.tgt}",
            "",
            f"A recurrent translation model: {model.cell}, context `{model.context}`, {size} parameters.",
            "",
            f"- Data: {where}",
            f"- Training: {effort}, seed {settings.training.seed}",
            f"- Versions: {versions()}",
            f"- Recipe: {recipe}",
            "- Licence: that of the data",
            f"- Limits: it knows the words and the kind of sentence in its data; beam {search.beam}, length penalty "
            f"{search.length_penalty}, word reward {search.word_reward} in the scores below",
            "",
            "| part | metric | score | signature |",
            "|---|---|---|---|",
            *rows,
            "",
            f"| {data.src} | translation | reference |",
            "|---|---|---|",
            *samples,
            "",
        ]
    )


def exported_card(card: str, form: str) -> str:
    """The card of a model exported in another form, its scores and samples those of before."""
    note = f"- Form: `{form}`; the scores and translations below are those of the model it was exported from\n"
    return card.replace("- Limits: ", f"{note}- Limits: ", 1)


def row(*cells: str) -> str:
    """A row of a Markdown table, where a `|` inside a cell would end it."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
