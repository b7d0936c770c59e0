"""A task with many languages for the tests: digits (en), the same reversed (de), and sorted (fr).

From one source, only the target's language decides which of them is the translation.
"""

import random
from pathlib import Path
from typing import NamedTuple

import seq2seq
from seq2seq.api.results import Run
from seq2seq.text.directions import Direction

LANGUAGES = "en", "de", "fr"
DIRECTIONS: list[Direction] = [("en", "de"), ("de", "en"), ("en", "fr"), ("de", "fr")]
NAMES = "en-de,de-en,en-fr,de-fr"

# How the text is read: as it stands.
AS_IT_STANDS = """
[text]
normalisation = 0
keep = false
sentences = false
longest = 200
[tokenizer]
vocab_size = 300
placeholders = 0
"""
RECIPE = (
    AS_IT_STANDS
    + """
[model]
context = "general"
embedding = 24
encoder_hidden = [32, 32]
hidden = 64
dropout = 0.0
readout_dropout = 0.0
[training]
epochs = 10
batch_tokens = 400
warmup = 20
learning_rate = 1e-2
label_smoothing = 0.0
ema = 0.98
metric = "loss"
precision = "fp32"
"""
)
# For a run that only has to run.
TINY = (
    AS_IT_STANDS
    + """
[model]
embedding = 6
encoder_hidden = [5, 3]
hidden = 7
attention = 4
[training]
updates = 6
validate_every = 3
batch_tokens = 60
precision = "fp32"
"""
)


class Learnt(NamedTuple):
    """The folder of a trained model, that of its text, and the run."""

    folder: Path
    data: Path
    run: Run


def sentence(rng: random.Random) -> dict[str, str]:
    """A sentence in all languages."""
    digits = rng.choices("012345", k=rng.randint(2, 5))
    return {"en": " ".join(digits), "de": " ".join(reversed(digits)), "fr": " ".join(sorted(digits))}


def rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Different sentences."""
    rng, found = random.Random(seed), dict[str, dict[str, str]]()
    while len(found) < count:
        new = sentence(rng)
        found[new["en"]] = new
    return list(found.values())


def write_table(path: Path, sentences: list[dict[str, str]], gaps: bool = True) -> None:
    """A table with a column for each language; with gaps, each fifth row lacks de, and each fifth fr."""
    lines = ["\t".join(LANGUAGES)]
    for number, row in enumerate(sentences):
        lacking = {1: "de", 3: "fr"}.get(number % 5) if gaps else None
        lines.append("\t".join("" if language == lacking else row[language] for language in LANGUAGES))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_text(folder: Path, train: int, dev: int = 20, test: int = 40) -> Path:
    """A corpus of tables."""
    sentences = rows(train + dev + test)
    write_table(folder / "dev.tsv", sentences[:dev])
    write_table(folder / "test.tsv", sentences[dev : dev + test], gaps=False)
    write_table(folder / "train.tsv", sentences[dev + test :])
    return folder


def learn(folder: Path) -> Learnt:
    """Train a model until it knows the task, some ten seconds of CPU time."""
    data, recipe = write_text(folder / "data", 1000), folder / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    run = seq2seq.train(
        data=data,
        langs=LANGUAGES,
        directions=NAMES,
        recipe=str(recipe),
        out=folder / "model",
        device="cpu",
        threads=1,
        quiet=True,
    )
    return Learnt(folder / "model", data, run)
