"""`train` trains a model, scores it and writes its model folder with a card, in one process or several.

Of the processes that torchrun starts, rank 0 reads the text, writes the folder and prints; the other ranks read what
it wrote, and train with it.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import torch

from seq2seq.api import finetuning, fitting, planning
from seq2seq.api.computing import notifier, torch_device, torch_threads
from seq2seq.api.distillation import open_teachers, with_teachers
from seq2seq.api.planning import RECIPE
from seq2seq.api.translator import FolderPath, Translator
from seq2seq.errors import InputError, Interrupted
from seq2seq.folder import checkpoint, files, layout
from seq2seq.reporting.model_card import model_card
from seq2seq.text import corpus, multilingual, sources
from seq2seq.text.directions import name_of
from seq2seq.text.multilingual import Corpora
from seq2seq.text.scoring import Score, score, tokenizer_for
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import mapping, settings
from seq2seq.training.automatic import AUTO, dev_share, little_text
from seq2seq.training.distributed import ProcessGroup, join_group
from seq2seq.training.settings import Settings
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer
from seq2seq.translation.translator import LineTranslator

WITH_RESUME = {"resume", "data", "set", "seed", "device", "threads", "quiet", "minutes"}  # options it does not exclude
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
    finetune: FolderPath | None
    minutes: float | None
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
        values["scores"] = {part: [s.as_dict() for s in scores] for part, scores in self.scores.items()}
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
            recipe: name of a recipe that ships, or path of a .toml file; default: "auto" for data of your own, whose
                settings follow from the amount of text, and "tatoeba" for the corpus that ships.
            set: settings that override those of the recipe, for example {"training.updates": 1000}.
            teachers: model folders; their translations, or back-translations, are trained on as well.
            mono: monolingual text files, NAME.LANG, which the teachers translate as well.
            resume: a model folder whose training goes on; only settings `training.*` may be given with it, and `data`
                where the same text has moved.
            finetune: the folder of a trained model whose weights, tokenizer and shape the new model begins with.
            minutes: the number of updates is as large as this time allows, which is measured before.
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
    """A run before its text is read; with the recipe `auto`, some of its settings follow from the text."""

    folder: Path
    settings: Settings
    recipe: str | None
    resume: bool  # whether it goes on with an earlier run
    explicit: dict[str, dict[str, Any]]  # settings that do not come from a recipe, by section


def _train_first_rank(options: TrainOptions, ranks: ProcessGroup, device: str) -> Run:
    """Train as rank 0, or as the only process."""
    quiet, started = options.get("quiet", False), time.monotonic()
    notify, plan = notifier(quiet), _plan(options, ranks.world_size)
    if plan.resume:
        text, tokenizers = _stored_text(plan, notify, quiet)
    else:
        plan, text, tokenizers = _new_text(plan, options, notify, ranks.world_size)
    if plan.settings.data.languages:  # those that the text holds, which a resumed run repeats
        data = replace(plan.settings.data, directions=tuple(map(name_of, text)))
        plan = plan._replace(settings=plan.settings._replace(data=data))
    trainer = Trainer(plan.settings, text, tokenizers, plan.folder, device, notify, ranks)  # checks the settings
    if minutes := options.get("minutes"):
        seconds = 60 * minutes - (time.monotonic() - started)
        plan = plan._replace(settings=fitting.in_minutes(plan.settings, plan.explicit, trainer, text, seconds, notify))
        del trainer  # before the next one needs the memory
        trainer = Trainer(plan.settings, text, tokenizers, plan.folder, device, notify, ranks)
    if plan.resume:
        trainer.restore()
    else:
        base = plan.settings.training.finetuned
        trainer.begin(finetuning.initial_weights(Path(base)) if base else None)
        checkpoint.clear(plan.folder)
    text_settings = replace(plan.settings.text, longest=trainer.longest)
    plan = plan._replace(settings=plan.settings._replace(text=text_settings))
    layout.save_settings(plan.folder, plan.settings._asdict(), *tokenizers, plan.recipe)
    if plan.settings.data.teachers and not plan.resume:
        files.publish(plan.folder, layout.SYNTHETIC, multilingual.synthetic_text(text).encode())
    size = sum(w.numel() for w in trainer.weights.values())
    where = f"{device}, {ranks.world_size} ranks" if ranks.world_size > 1 else device
    notify(f"{plan.folder}: {size:,} parameters, {trainer.total:,} updates, on {where}")
    if trainer.total <= (warmup := plan.settings.training.warmup):
        notify(
            f"note: the warm-up of {warmup:,} updates does not end in this run, so its learning rate stays low; "
            f"give more updates, a lower training.warmup or --recipe {AUTO}"
        )
    ranks.broadcast_object(lambda: (str(plan.folder.absolute()), plan.resume))
    try:
        trainer.run(quiet)
    except Interrupted:
        _write_card(_run(plan, trainer, device))
        raise
    run = _scored(_run(plan, trainer, device), text, device)
    _write_card(run)
    return run


def _train_other_rank(ranks: ProcessGroup, device: str) -> Run:
    """Train as another rank, with the settings, text and tokenizers that rank 0 wrote; rank 0 reports errors."""
    name, resume = ranks.broadcast_object(lambda: ("", False))
    folder = Path(name)
    plan = _Plan(folder, settings.resolve(layout.read_settings(folder)), layout.read_recipe_name(folder), resume, {})
    text, tokenizers = _stored_text(plan, lambda message: None, quiet=True)
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
        others = TrainOptions.__annotations__.keys() - WITH_RESUME
        if any(options.get(name) for name in others) or options.get("seed") is not None:
            raise InputError(
                "--resume goes on with the folder's own settings; give only --set training.* with it, and --data "
                "where the text has moved"
            )
        assignments = planning.assignments(overrides)
        if any(section != "training" for section, _, _ in assignments):
            raise InputError("--resume with --set: only training.* may change; train a new model to change the rest")
        folder = Path(resume)
        sections, recipe = layout.read_settings(folder), layout.read_recipe_name(folder)
        sections["data"] = sections.get("data", {}) | _data_settings(options)
        explicit = sections
    else:
        out, overwrite = options.get("out"), options.get("overwrite", False)
        if out:
            planning.check_folder(Path(out), overwrite)
        assignments = planning.assignments(overrides)
        if (seed := options.get("seed")) is not None:
            assignments.append(("training", "seed", seed))
        recipe = options.get("recipe") or _default_recipe(options, assignments)
        sections = settings.recipe(recipe)
        explicit = {"data": _data_settings(options)}
        if base := options.get("finetune"):
            sections = finetuning.sections_from(Path(base), sections, recipe, assignments)
            explicit = sections if recipe == AUTO else explicit
        sections["data"] = sections.get("data", {}) | _data_settings(options)
        explicit = settings.override(explicit | {"data": sections["data"]}, assignments)
        folder = Path(out) if out else planning.new_folder(recipe)
        planning.check_folder(folder, overwrite)
    fitting.check_minutes(options.get("minutes"), bool(resume), settings.override({}, assignments), ranks)
    names = {(section, name) for section, name, _ in assignments}
    if ("training", "epochs") in names and ("training", "updates") not in names:
        assignments.append(("training", "updates", 0))  # those of the recipe, or of the run so far, do not count
    resolved = settings.resolve(settings.override(sections, assignments))
    resolved.data.all_directions()  # checks them
    if resolved.training.finetuned and not resume and not options.get("finetune"):
        raise InputError("training.finetuned names the model of --finetune; give --finetune MODEL instead")
    return _Plan(folder, planning.completed(resolved, ranks), recipe, bool(resume), explicit)


def _default_recipe(options: TrainOptions, assignments: Sequence[tuple[str, str, Any]]) -> str:
    """`auto` for text of one's own and for fine-tuning, RECIPE for the corpus that ships."""
    own = options.get("data") or any((section, name) == ("data", "where") for section, name, _ in assignments)
    return AUTO if own or options.get("finetune") else RECIPE


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


def _stored_text(
    plan: _Plan, notify: Callable[[str], None], quiet: bool
) -> tuple[Corpora, tuple[Tokenizer, Tokenizer]]:
    """The text and the tokenizers of a run that has begun; tokenizers and synthetic pairs are read from its folder."""
    data = plan.settings.data
    if missing := [where for where in corpus.wheres(data) if not settings.is_there(sources.weighted(where)[0])]:
        raise InputError(
            f"{missing[0]}, the text of this run, is not there; give its place: --resume {plan.folder} --data WHERE"
        )
    text = mapping.load(data, None, notify, quiet)
    if data.teachers:
        text = multilingual.stored_synthetic(text, plan.folder / layout.SYNTHETIC)
    return text, layout.read_tokenizers(plan.folder, plan.settings.tokenizer)


def _new_text(
    plan: _Plan, options: TrainOptions, notify: Callable[[str], None], ranks: int
) -> tuple[_Plan, Corpora, tuple[Tokenizer, Tokenizer]]:
    """The plan, the text and the tokenizers of a new run; teachers make the synthetic pairs.

    With the recipe `auto` the plan's settings follow from the text.
    """
    data, explicit, is_automatic = plan.settings.data, plan.explicit, plan.recipe == AUTO
    base, quiet = plan.settings.training.finetuned, options.get("quiet", False)
    teachers = open_teachers(data, options.get("device", "auto"), options.get("threads"))
    if data.languages:  # one share for all directions, whatever text each has
        explicit = explicit | {"data": {"dev_share": data.dev_share, **explicit["data"]}}
    share = dev_share if is_automatic and "dev_share" not in explicit["data"] else None
    text: Corpora = {
        direction: corpus.with_monolingual(each, data.of(direction))
        for direction, each in mapping.load(data, share, notify, quiet).items()
    }
    report = multilingual.report_of(text)
    notices = list(report.notices)
    if is_automatic:
        amount = fitting.amount_of(text)
        plan = plan._replace(settings=planning.completed(fitting.automatic_settings(explicit, amount), ranks))
        notices += filter(None, [little_text(amount, bool(base))])
    for line in (str(report), *(f"note: {notice}" for notice in notices)):
        notify(line)
    if teachers.models:
        text = with_teachers(text, teachers, notify, quiet)
        teachers.models.clear()  # training needs the memory
        notify(f"the teachers add {sum(len(each.synthetic) for each in text.values()):,} pairs")
    if base:
        finetuning.note_languages(Path(base), data, notify)
        tokenizers = layout.read_tokenizers(Path(base), plan.settings.tokenizer)
    else:
        tokenizers = prepare(plan.settings, text, notify)
    if is_automatic:
        plan = plan._replace(settings=fitting.scheduled(plan.settings, explicit, text, tokenizers))
    return plan, text, tokenizers


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


def _write_card(run: Run) -> None:
    files.write(run.folder / layout.CARD, model_card(run.settings, run.as_dict()).encode())


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
            references = [pair.tgt for pair in pairs]
            tokenizer = tokenizer_for(direction[1], references)
            scores[" ".join([name, *label])] = score(translations, [references], ("bleu", "chrf"), tokenizer)
            if number == 0:
                rows = range(0, len(pairs), max(1, len(pairs) // count))[:count]
                samples += [[*label, pairs[i].src, translations[i], pairs[i].tgt] for i in rows]
    return run._replace(scores=scores, samples=samples)
