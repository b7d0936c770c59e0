"""`train` trains a model, scores it and writes its model folder with a card, in one process or several.

Of the processes that torchrun starts, rank 0 reads the text, writes the folder and prints; the other ranks read what
it wrote, and train, validate and test with it.
"""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import torch

from seq2seq.api import finetuning, fitting, planning, restarting
from seq2seq.api.computing import notifier, torch_device, torch_threads
from seq2seq.api.distillation import open_teachers, with_teachers
from seq2seq.api.planning import Plan, TrainOptions
from seq2seq.api.results import Run, run_of, scored, write_card
from seq2seq.errors import InputError, Interrupted
from seq2seq.folder import checkpoint, files, layout
from seq2seq.text import corpus, multilingual, sources
from seq2seq.text.directions import name_of
from seq2seq.text.multilingual import Corpora
from seq2seq.text.name_learning import with_text
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import mapped_corpus, settings
from seq2seq.training.automatic import AUTO, dev_share, little_text
from seq2seq.training.distributed import ProcessGroup, join_group, restarts
from seq2seq.training.texts import prepare
from seq2seq.training.trainer import Trainer


def train(**options: Unpack[TrainOptions]) -> Run:
    """Train a translation model, or go on with a training; returns the run with its scores.

    Training prints its progress. Ctrl-C (or the stop button of a notebook) stops it after saving its state, and
    `train(resume=DIR)` then goes on to the same weights (on a CPU to the bit) as if it had never stopped. Torch's
    random state and number of threads, and the signal handlers, are restored at the end.

    Args:
        options:
            data: parallel text: a folder, a file, "hf:OWNER/NAME", or a list of them, each alone or with the number of
                times an epoch that its pairs are trained on, "WHERE=0.5"; default: the corpus that ships.
            columns: names of the columns of tables without a header, as a list or as "en,de".
            errors: "strict": text that cannot be read is an error; "skip": it is dropped and counted.
            src, tgt: languages to translate from and to, which name the files or columns.
            langs: in place of `src` and `tgt`, the languages of one model that translates between all of them, as a
                list or as "en,de,fr".
            directions: with `langs`, only these directions, as a list or as "en-de,de-en".
            out: the model folder; default: a new one in artifacts/runs.
            recipe: name of a recipe that ships, or path of a .toml file; default: "auto" for data of your own, whose
                settings follow from the amount of text, and "tatoeba" for the corpus that ships.
            set: settings that override those of the recipe, for example {"training.updates": 1000}.
            teachers: a model folder or several; their translations, or back-translations, are trained on as well.
            mono: a monolingual text file, NAME.LANG, or several, which the teachers translate as well.
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
        TypeError: an option is unknown, or of another type.
    """
    if unknown := options.keys() - TrainOptions.__annotations__.keys():
        raise TypeError(f"train() got an unexpected keyword argument {min(unknown)!r}")
    device = torch_device(options.get("device", "auto"))
    with torch_threads(options.get("threads")), join_group(device) as ranks, _restored_random_state(device):
        restarted = ranks.maximum(restarts()) > 0
        if not ranks.is_main:
            return _train_other_rank(ranks, device)
        job, notify = restarting.job_of(options), notifier(options.get("quiet", False))
        return _train_first_rank(restarting.continued(options, job, restarted, notify), job, ranks, device)


@contextmanager
def _restored_random_state(device: str) -> Iterator[None]:
    """Restore torch's random state at the end, that of the CPU and of this rank's GPU."""
    with torch.random.fork_rng([torch.cuda.current_device()] if device == "cuda" else []):
        yield


def _train_first_rank(options: TrainOptions, job: str | None, ranks: ProcessGroup, device: str) -> Run:
    """Train as rank 0, or as the only process; `job` is recorded in the folder."""
    quiet, started = options.get("quiet", False), time.monotonic()
    notify, plan = notifier(quiet), planning.plan(options, ranks.world_size)
    if plan.resume:
        text, tokenizers = _stored_text(plan, notify, quiet)
    else:
        plan, text, tokenizers = _new_text(plan, options, notify, ranks.world_size)
    for note in plan.notes:
        notify(f"note: {note}")
    if plan.settings.data.languages:  # those that the text holds, which a resumed run repeats
        data = replace(plan.settings.data, directions=tuple(map(name_of, text)))
        plan = plan._replace(settings=plan.settings._replace(data=data))
    trainer = Trainer(plan.settings, text, tokenizers, plan.folder, device, notify, ranks)  # checks the settings
    if minutes := options.get("minutes"):
        seconds = 60 * minutes - (time.monotonic() - started)
        fitted = fitting.in_minutes(plan.settings, plan.explicit, trainer, text, seconds, plan.recipe == AUTO, notify)
        plan = plan._replace(settings=fitted)
        del trainer  # before the next one needs the memory
        trainer = Trainer(plan.settings, text, tokenizers, plan.folder, device, notify, ranks)
    if plan.resume:
        trainer.restore()
        if trainer.is_finished:
            notify(f"note: the run has ended after {trainer.progress.step:,} updates; it is only scored again")
    else:
        base = plan.settings.training.finetuned
        trainer.begin(finetuning.initial_weights(Path(base)) if base else None)
        checkpoint.clear(plan.folder)
        restarting.record(plan.folder, job)
    text_settings = replace(plan.settings.text, longest=trainer.longest)
    plan = plan._replace(settings=plan.settings._replace(text=text_settings))
    layout.save_settings(plan.folder, plan.settings._asdict(), *tokenizers, plan.recipe)
    if plan.settings.data.teachers and not plan.resume:
        files.publish(plan.folder, layout.SYNTHETIC, multilingual.synthetic_text(text).encode())
    _announce(plan, trainer, device, ranks, notify)
    ranks.broadcast_object(lambda: (str(plan.folder.absolute()), plan.resume))
    try:
        trainer.run(quiet)
    except Interrupted:
        write_card(run_of(plan, trainer, device))
        raise
    run = scored(run_of(plan, trainer, device), text, device, ranks)
    write_card(run)
    restarting.record(plan.folder, job, restarting.FINISHED)
    return run


def _announce(plan: Plan, trainer: Trainer, device: str, ranks: ProcessGroup, notify: Callable[[str], None]) -> None:
    """Tell what is about to be trained."""
    size = sum(w.numel() for w in trainer.weights.values())
    where = f"{device}, {ranks.world_size} ranks" if ranks.world_size > 1 else device
    notify(f"{plan.folder}: {size:,} parameters, {trainer.total:,} updates, on {where}")
    if trainer.total <= (warmup := plan.settings.training.warmup):
        notify(
            f"note: the warm-up of {warmup:,} updates does not end in this run, so its learning rate stays low; "
            f"give more updates, a lower training.warmup or --recipe {AUTO}"
        )


def _train_other_rank(ranks: ProcessGroup, device: str) -> Run:
    """Train as another rank, with the settings, text and tokenizers that rank 0 wrote; rank 0 reports errors.

    Raises:
        InputError: it does not see the folder of rank 0, or has read another text.
    """
    name, resume = ranks.broadcast_object(lambda: ("", False))
    folder = Path(name)
    if not layout.holds_model(folder):
        raise InputError(
            f"rank {ranks.rank} on {platform.node()} does not see {folder}, where rank 0 writes the model; give an "
            "--out that is the same folder on all machines"
        )
    plan = Plan(folder, settings.resolve(layout.read_settings(folder)), layout.read_recipe_name(folder), resume, {})
    text, tokenizers = _stored_text(plan, lambda message: None, quiet=True)
    trainer = Trainer(plan.settings, text, tokenizers, folder, device, lambda message: None, ranks)
    if resume:
        trainer.restore()
    try:
        trainer.run(quiet=True)
    except Interrupted as e:
        raise Interrupted(e.signum, "") from None
    return scored(run_of(plan, trainer, device), text, device, ranks)


# ---- preparation -----------------------------------------------------------------------------------------------------


def _stored_text(plan: Plan, notify: Callable[[str], None], quiet: bool) -> tuple[Corpora, tuple[Tokenizer, Tokenizer]]:
    """The text and the tokenizers of a run that has begun; tokenizers and synthetic pairs are read from its folder."""
    data = plan.settings.data
    if missing := [where for where in corpus.wheres(data) if not settings.is_there(sources.weighted(where)[0])]:
        places = " ".join("--data WHERE" for _ in corpus.wheres(data))
        raise InputError(
            f"{missing[0]}, the text of this run, is not there; give its place: --resume {plan.folder} {places}"
        )
    text = mapped_corpus.load(data, None, notify, quiet)
    if data.teachers:
        text = multilingual.stored_synthetic(text, plan.folder / layout.SYNTHETIC)
    return text, layout.read_tokenizers(plan.folder, plan.settings.tokenizer)


def _new_text(
    plan: Plan, options: TrainOptions, notify: Callable[[str], None], ranks: int
) -> tuple[Plan, Corpora, tuple[Tokenizer, Tokenizer]]:
    """The plan, the text and the tokenizers of a new run; teachers make the synthetic pairs.

    With the recipe `auto` the plan's settings follow from the text.
    """
    data, explicit, is_automatic = plan.settings.data, plan.explicit, plan.recipe == AUTO
    base, quiet = plan.settings.training.finetuned, options.get("quiet", False)
    corpus.check_columns(data)
    teachers = open_teachers(data, options.get("device", "auto"), options.get("threads"))
    if data.languages and not multilingual.has_one_pair(data):  # one share for all pairs, whatever text each has
        explicit = explicit | {"data": {"dev_share": data.dev_share, **explicit["data"]}}
    share = dev_share if is_automatic and "dev_share" not in explicit["data"] else None
    text: Corpora = {
        direction: corpus.with_monolingual(each, data.of(direction))
        for direction, each in mapped_corpus.load(data, share, notify, quiet).items()
    }
    report = multilingual.report_of(text)
    notices = list(report.notices)
    if is_automatic:
        amount = fitting.amount_of(text)
        plan = plan._replace(settings=planning.completed(fitting.automatic_settings(explicit, amount), ranks))
        notices += filter(None, [little_text(fitting.different_pairs(text), bool(base))])
    for line in (str(report), *(f"note: {notice}" for notice in notices)):
        notify(line)
    if teachers.models:
        text = with_teachers(text, teachers, notify, quiet)
        teachers.models.clear()  # training needs the memory
        notify(f"the teachers add {sum(len(each.synthetic) for each in text.values()):,} pairs")
    if base:
        finetuning.note_languages(Path(base), data, notify)
        tokenizers = layout.read_tokenizers(Path(base), plan.settings.tokenizer)
        if known := tokenizers[0].known_words:
            trains = {direction: each.train for direction, each in text.items()}
            tokenizers[0].known_words = with_text(known, trains)
    else:
        tokenizers = prepare(plan.settings, text, notify)
    if is_automatic and options.get("minutes"):  # to be measured, after which `in_minutes` sets the same settings
        plan = plan._replace(settings=fitting.regularised(plan.settings, explicit, text, epochs=0))
    elif is_automatic:
        plan = plan._replace(settings=fitting.scheduled(plan.settings, explicit, text, tokenizers))
    return plan, text, tokenizers
