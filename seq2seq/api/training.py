"""`train` trains a model, scores it and writes its model folder with a card, in one process or several.

Of the processes that torchrun starts, rank 0 reads the text, writes the folder and prints; the other ranks read what
it wrote, and train with it.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import torch

from seq2seq.api.computing import notifier, torch_device, torch_threads
from seq2seq.api.distillation import open_teachers, with_teachers
from seq2seq.api.translator import FolderPath, Translator
from seq2seq.config import parse_override
from seq2seq.errors import InputError, Interrupted
from seq2seq.folder import checkpoint, files, layout
from seq2seq.reporting.model_card import model_card
from seq2seq.text import corpus, multilingual
from seq2seq.text.directions import name_of
from seq2seq.text.multilingual import Corpora
from seq2seq.text.scoring import Score, score
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import settings
from seq2seq.training.distributed import ProcessGroup, join_group
from seq2seq.training.settings import Settings
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer
from seq2seq.training.workers import default_workers
from seq2seq.translation.translator import LineTranslator

RECIPE = "tatoeba"
RUNS = Path("artifacts/runs")
SAMPLES = 10  # number of held-out sentences in `Run.samples`


class TrainOptions(TypedDict, total=False):
    """The keyword arguments of `train`."""

    data: FolderPath | Sequence[FolderPath] | None
    columns: str | None
    errors: str | None
    src: str | None
    tgt: str | None
    langs: str | Sequence[str] | None
    directions: str | Sequence[str] | None
    out: FolderPath | None
    recipe: str | None
    set: Mapping[str, Any] | Sequence[str]
    teachers: Sequence[FolderPath]
    mono: Sequence[FolderPath]
    resume: FolderPath | None
    overwrite: bool
    seed: int | None
    device: str
    threads: int | None
    quiet: bool


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
        values["scores"] = {part: [s._asdict() for s in scores] for part, scores in self.scores.items()}
        return {name: value for name, value in values.items() if name not in ("model", "settings")}


def train(**options: Unpack[TrainOptions]) -> Run:
    """Train a translation model, or go on with a training; returns the run with its scores.

    Training prints its progress. Ctrl-C (or the stop button of a notebook) stops it after saving its state, and
    `train(resume=DIR)` then goes on to the same weights (on a CPU to the bit) as if it had never stopped. Torch's
    random state and number of threads, and the signal handlers, are restored at the end.

    Args:
        options:
            data: parallel text: a folder, a file, "hf:OWNER/NAME", or a list of them, each alone or with the number of
                times an epoch that its pairs are trained on, "WHERE=0.5"; default: the corpus that ships.
            columns: names of the columns of tables without a header, for example "en,de".
            errors: "strict": text that cannot be read is an error; "skip": it is dropped and counted.
            src, tgt: languages to translate from and to, which name the files or columns.
            langs: in place of `src` and `tgt`, the languages of one model that translates between all of them, as a
                list or as "en,de,fr".
            directions: with `langs`, only these directions, as a list or as "en-de,de-en".
            out: the model folder; default: a new one in artifacts/runs.
            recipe: name of a recipe that ships, or path of a .toml file.
            set: settings that override those of the recipe, for example {"training.updates": 1000}.
            teachers: model folders; their translations, or back-translations, are trained on as well.
            mono: monolingual text files, NAME.LANG, which the teachers translate as well.
            resume: a model folder whose training goes on; only settings `training.*` may be given with it.
            overwrite: replace the model that `out` holds.
            seed: short for set={"training.seed": N}.
            device: "cpu", "cuda", or "auto": a GPU if there is one.
            threads: torch's number of threads while it trains.
            quiet: print no progress and no notices.

    Raises:
        InputError: an option, a setting or the text is wrong.
        WorkError: training failed, for example by a loss that is not finite or a full disk; the last checkpoint is
            complete.
        Interrupted: SIGINT or SIGTERM stopped it (a KeyboardInterrupt); the state is saved.
        TypeError: an option is unknown.
    """
    if unknown := options.keys() - TrainOptions.__annotations__.keys():
        raise TypeError(f"train() got an unexpected keyword argument {min(unknown)!r}")
    device = torch_device(options.get("device", "auto"))
    with torch_threads(options.get("threads")), join_group(device) as ranks, _restored_random_state(device):
        return _train_first_rank(options, ranks, device) if ranks.is_main else _train_other_rank(ranks, device)


@contextmanager
def _restored_random_state(device: str) -> Iterator[None]:
    """Restore torch's random state at the end, that of the CPU and of this rank's GPU."""
    with torch.random.fork_rng([torch.cuda.current_device()] if device == "cuda" else []):
        yield


class _Plan(NamedTuple):
    """A run before its text is read: folder, resolved settings, recipe, and whether it resumes an earlier run."""

    folder: Path
    settings: Settings
    recipe: str | None
    resume: bool


def _train_first_rank(options: TrainOptions, ranks: ProcessGroup, device: str) -> Run:
    """Train as rank 0, or as the only process."""
    quiet = options.get("quiet", False)
    notify, plan = notifier(quiet), _plan(options, ranks.world_size)
    text, tokenizers = _stored_text(plan) if plan.resume else _new_text(plan, options, notify, quiet)
    if plan.settings.data.languages:  # those that the text holds, which a resumed run repeats
        data = replace(plan.settings.data, directions=tuple(map(name_of, text)))
        plan = plan._replace(settings=plan.settings._replace(data=data))
    trainer = Trainer(plan.settings, text, tokenizers, plan.folder, device, notify, ranks)  # checks the settings
    if plan.resume:
        trainer.restore()
    else:
        trainer.begin()
        checkpoint.clear(plan.folder)
    text_settings = replace(plan.settings.text, longest=trainer.longest)
    plan = plan._replace(settings=plan.settings._replace(text=text_settings))
    layout.save_settings(plan.folder, plan.settings._asdict(), *tokenizers, plan.recipe)
    if plan.settings.data.teachers and not plan.resume:
        files.publish(plan.folder, layout.SYNTHETIC, multilingual.synthetic_text(text).encode())
    size = sum(w.numel() for w in trainer.weights.values())
    where = f"{device}, {ranks.world_size} ranks" if ranks.world_size > 1 else device
    notify(f"{plan.folder}: {size:,} parameters, {trainer.total:,} updates, on {where}")
    ranks.broadcast_object(lambda: (str(plan.folder.absolute()), plan.resume))
    trainer.run(quiet)
    run = _scored(_run(plan, trainer, device), text, device)
    card = model_card(plan.settings, run.as_dict())
    files.write(plan.folder / layout.CARD, card.encode())
    return run


def _train_other_rank(ranks: ProcessGroup, device: str) -> Run:
    """Train as another rank, with the settings, text and tokenizers that rank 0 wrote; rank 0 reports errors."""
    name, resume = ranks.broadcast_object(lambda: ("", False))
    folder = Path(name)
    plan = _Plan(folder, settings.resolve(layout.read_settings(folder)), layout.read_recipe_name(folder), resume)
    text, tokenizers = _stored_text(plan)
    trainer = Trainer(plan.settings, text, tokenizers, folder, device, lambda message: None, ranks)
    if resume:
        trainer.restore()
    try:
        trainer.run(quiet=True)
    except Interrupted as e:
        raise Interrupted(e.signum, "") from None
    return _run(plan, trainer, device)


# ---- preparation -----------------------------------------------------------------------------------------------------


def _plan(options: TrainOptions, ranks: int) -> _Plan:
    """The folder and the settings that the options specify. No text is read and nothing is written.

    Raises:
        InputError: options exclude each other, a setting is wrong, or the folder holds something that would be lost.
    """
    overrides = options.get("set", {})
    if resume := options.get("resume"):
        others = TrainOptions.__annotations__.keys() - {"resume", "set", "seed", "device", "threads", "quiet"}
        if any(options.get(name) for name in others) or options.get("seed") is not None:
            raise InputError("--resume goes on with the folder's own settings; give only --set training.* with it")
        assignments = _assignments(overrides)
        if any(section != "training" for section, _, _ in assignments):
            raise InputError("--resume with --set: only training.* may change; train a new model to change the rest")
        folder = Path(resume)
        sections, recipe = layout.read_settings(folder), layout.read_recipe_name(folder)
    else:
        recipe = options.get("recipe") or RECIPE
        sections = settings.recipe(recipe)
        sections["data"] = sections.get("data", {}) | _data_settings(options)
        out = options.get("out")
        folder = Path(out) if out else _new_folder(recipe)
        _check_folder(folder, options.get("overwrite", False))
        assignments = _assignments(overrides)
        if (seed := options.get("seed")) is not None:
            assignments.append(("training", "seed", seed))
    resolved = settings.resolve(settings.override(sections, assignments))
    resolved.data.all_directions()  # checks them
    return _Plan(folder, _with_workers(resolved, ranks), recipe, bool(resume))


def _assignments(values: Mapping[str, Any] | Sequence[str]) -> list[tuple[str, str, Any]]:
    """Section, name and value of each setting of a mapping, or of strings such as "model.hidden=512".

    Raises:
        TypeError: `values` is a single string.
        InputError: a name has no section, or a string no value.
    """
    if isinstance(values, str):
        raise TypeError("set takes a mapping of settings, or a list of strings such as 'model.hidden=512'")
    if not isinstance(values, Mapping):
        return [parse_override(text) for text in values]
    assignments = []
    for key, value in values.items():
        section, dot, name = str(key).partition(".")
        if not (section and dot and name):
            raise InputError(f"set {key!r}: expected SECTION.NAME, for example 'model.hidden'")
        assignments.append((section, name, value))
    return assignments


def _data_settings(options: TrainOptions) -> dict[str, Any]:
    """The settings of the section [data] that the options specify.

    Raises:
        InputError: options exclude each other.
    """
    values: dict[str, Any] = {name: options.get(name) for name in ("src", "tgt", "errors")}
    if languages := _listed(options.get("langs")):
        if values["src"] or values["tgt"]:
            raise InputError("--langs names all languages; leave out --src and --tgt, or --langs")
        values |= {"src": "", "tgt": "", "languages": languages, "directions": _listed(options.get("directions"))}
    elif options.get("directions"):
        raise InputError("--directions chooses among the directions of --langs; give --langs as well")
    elif values["src"] or values["tgt"]:
        values |= {"languages": [], "directions": []}  # in place of the recipe's
    if (data := options.get("data")) is not None:
        wheres = [os.fspath(path) for path in ([data] if isinstance(data, str | os.PathLike) else data)]
        values["where"] = wheres[0] if len(wheres) == 1 else wheres
    if columns := options.get("columns"):
        values["columns"] = [name.strip() for name in columns.split(",")]
    for name, option in (("teachers", options.get("teachers")), ("monolingual", options.get("mono"))):
        values[name] = [os.fspath(path) for path in option] if option else None
    return {name: value for name, value in values.items() if value is not None}


def _listed(names: str | Sequence[str] | None) -> list[str]:
    """A list of names, or names separated by commas, as a list."""
    return [name.strip() for name in (names.split(",") if isinstance(names, str) else names or ())]


def _new_folder(recipe: str) -> Path:
    """The first of artifacts/runs/NAME, NAME-2, NAME-3 .. that is free."""
    name = Path(recipe).stem
    names = itertools.chain([name], (f"{name}-{i}" for i in itertools.count(2)))
    return next(RUNS / n for n in names if not (RUNS / n).exists())


def _check_folder(folder: Path, overwrite: bool) -> None:
    """Check, before the text is read, that the folder can be written.

    Raises:
        InputError: it cannot, or without `overwrite` it holds a model or a model card.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise InputError(f"--out {folder}: {existing} is a file; give a folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"--out {folder}: {existing} cannot be written; give another folder")
    if layout.holds_model(folder) and not overwrite:
        raise InputError(f"{folder} holds a model; give another --out, --resume {folder}, or --overwrite")
    if (card := folder / layout.CARD).exists() and not overwrite:
        raise InputError(f"{card} would be lost to the model card; give another --out, or --overwrite")


def _with_workers(resolved: Settings, ranks: int) -> Settings:
    """The settings with the number of workers, of ranks if there are several, filled in: a resumed run repeats it.

    Raises:
        InputError: torchrun started another number of ranks than the settings name.
    """
    training = resolved.training
    if ranks > 1 and training.workers not in (0, ranks):
        raise InputError(
            f"training.workers = {training.workers}, but torchrun started {ranks} ranks; start as many, "
            "or give --set training.workers=0"
        )
    default = default_workers(torch.get_num_threads(), training.batch_tokens, resolved.model.hidden)
    return resolved._replace(training=replace(training, workers=ranks if ranks > 1 else training.workers or default))


def _stored_text(plan: _Plan) -> tuple[Corpora, tuple[Tokenizer, Tokenizer]]:
    """The text and the tokenizers of a run that has begun; tokenizers and synthetic pairs are read from its folder."""
    data = plan.settings.data
    text = multilingual.load_all(data)
    if data.teachers:
        text = multilingual.stored_synthetic(text, plan.folder / layout.SYNTHETIC)
    return text, layout.read_tokenizers(plan.folder, plan.settings.tokenizer)


def _new_text(
    plan: _Plan, options: TrainOptions, notify: Callable[[str], None], quiet: bool
) -> tuple[Corpora, tuple[Tokenizer, Tokenizer]]:
    """The text and the tokenizers of a new run; teachers make the synthetic pairs."""
    data = plan.settings.data
    teachers = open_teachers(data, options.get("device", "auto"), options.get("threads"))
    text: Corpora = {
        direction: corpus.with_monolingual(each, data.of(direction))
        for direction, each in multilingual.load_all(data).items()
    }
    report = multilingual.report_of(text)
    for line in (str(report), *(f"note: {notice}" for notice in report.notices)):
        notify(line)
    if teachers.models:
        text = with_teachers(text, teachers, quiet)
        teachers.models.clear()  # training needs the memory
        notify(f"the teachers add {sum(len(each.synthetic) for each in text.values()):,} pairs")
    return text, prepare(plan.settings, text, notify)


# ---- result ----------------------------------------------------------------------------------------------------------


def _run(plan: _Plan, trainer: Trainer, device: str) -> Run:
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


def _scored(run: Run, text: Corpora, device: str) -> Run:
    """The run with samples and the scores of the best weights on every test part, or on dev if there is none."""
    bundle = checkpoint.load_model(run.folder, device)
    scores: dict[str, list[Score]] = {}
    samples: list[list[str]] = []
    for direction, each in text.items():
        translator = LineTranslator(bundle.toward(direction), run.settings.search)
        label = [name_of(direction)] if bundle.directions else []
        count = max(1, SAMPLES // len(text))
        for number, (name, pairs) in enumerate((each.tests or {"dev": each.dev}).items()):
            translations = translator.translate([pair.src for pair in pairs])
            scores[" ".join([name, *label])] = score(translations, [[pair.tgt for pair in pairs]], ("bleu", "chrf"))
            if number == 0:
                rows = range(0, len(pairs), max(1, len(pairs) // count))[:count]
                samples += [[*label, pairs[i].src, translations[i], pairs[i].tgt] for i in rows]
    return run._replace(scores=scores, samples=samples)
