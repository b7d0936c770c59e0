"""A wrong command or wrong input ends with status 2 and one line that names the fault, and changes no file."""

import bz2
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from shell import PARTS, call, refused, snapshot, write_part

from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, corpus: Path, model: Path) -> Path:
    """A folder of corpora, models and files, each broken in a different way."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "nothing").mkdir()
    (folder / "file").write_text("A cat sleeps.\n")
    (folder / "latin").write_bytes(b"A cat sleeps.\nA caf\xe9 waits.\n")
    (folder / "text.bz2").write_bytes(bz2.compress(b"A cat sleeps.\n"))
    (folder / "cut.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")
    (folder / "bad.toml").write_text("[model\n")
    (folder / "latin.toml").write_bytes(b'[data]\nsrc = "fran\xe7ais"\n')

    write_part(folder / "uneven", "train", PARTS["train"])
    (folder / "uneven/train.de").write_text("eins\nzwei\ndrei\n")
    write_part(folder / "not-utf8", "train", PARTS["train"])
    (folder / "not-utf8/train.de").write_bytes("eins\nzwei\nfünf\n".encode("latin-1"))
    for name, content in (("empty", ""), ("blank", "\n \n\n")):
        (folder / name).mkdir()
        for language in ("en", "de"):
            (folder / name / f"train.{language}").write_text(content)
    (folder / "one-side").mkdir()
    shutil.copy(corpus / "train.en", folder / "one-side")

    def copy_model(name: str) -> Path:
        return Path(shutil.copytree(model, folder / name))

    for name in ("config.toml", "model.safetensors", "tokenizer.model"):
        (copy_model(f"without-{name}") / name).unlink()
        cut = copy_model(f"cut-{name}") / name
        content = cut.read_bytes()
        cut.write_bytes(content[: content.rindex(b"=") if name == "config.toml" else len(content) // 2])
    config = copy_model("wider") / "config.toml"
    config.write_text(config.read_text().replace("hidden = 32\n", "hidden = 48\n"))
    config = copy_model("of-the-future") / "config.toml"
    config.write_text(config.read_text().replace("format = 1\n", "format = 99\n"))
    lines = [line for pair in PARTS["train"] for line in pair]
    swap = str.maketrans("abcdefghijklm", "nopqrstuvwxyz") | str.maketrans("nopqrstuvwxyz", "abcdefghijklm")
    same_size = Tokenizer.learn([x.translate(swap) for x in lines], TokenizerConfig("bpe", 380, placeholders=0), print)
    other_size = Tokenizer.learn(lines[:6], TokenizerConfig("bpe", 380, placeholders=0), print)
    size = len(Tokenizer.load(model / "tokenizer.model"))
    assert len(same_size) == size != len(other_size)
    same_size.save(copy_model("same-size") / "tokenizer.model")
    other_size.save(copy_model("other-size") / "tokenizer.model")
    shutil.rmtree(copy_model("untrained") / "training")
    return folder


@pytest.fixture
def check(broken: Path, corpus: Path, model: Path, recipe: Path, tmp_path: Path) -> Callable[[str, list[str]], None]:
    """A function that runs a command and checks that its error contains all names and that no file changed."""

    def check(command: str, names: list[str]) -> None:
        folders = {"broken": broken, "corpus": corpus, "model": model, "recipe": recipe}
        before = [snapshot(folder) for folder in (broken, corpus, model, tmp_path)]
        result = call(*shlex.split(command.format(**folders)), stdin="A cat sleeps.\n")
        refused(result, *(name.format(**folders) for name in names))
        assert [snapshot(folder) for folder in (broken, corpus, model, tmp_path)] == before

    return check


# Twelve kinds of bad input, each with the commands in which it can occur and the words their error must contain.
TRAIN = "train --recipe {recipe} --out new --data"
TWELVE = {
    "a missing file": [
        ("train --recipe nosuch.toml --out new", ["cannot read nosuch.toml"]),
        (f"{TRAIN} nosuch", ["nosuch is not there", "--data"]),
        (f"{TRAIN} nosuch.tsv", ["nosuch.tsv is not there"]),
        (f"{TRAIN} {{broken}}/one-side", ["one-side/train.en has no .de file beside it"]),
        ("train --resume nosuch", ["no model folder nosuch"]),
        ("translate --model nosuch", ["no model folder nosuch"]),
        ("translate --model {model} --input nosuch", ["cannot read nosuch"]),
        ("translate --model {model} --score nosuch", ["cannot read nosuch"]),
        ("evaluate --hyp nosuch --ref {corpus}/test.de", ["cannot read nosuch"]),
        ("evaluate --hyp {corpus}/test.de --ref nosuch", ["cannot read nosuch"]),
        ("evaluate --model {model} --data nosuch", ["nosuch is not there"]),
        ("tokenizer learn --input nosuch --out new", ["cannot read nosuch"]),
        ("tokenizer encode --model nosuch", ["cannot read the tokenizer nosuch"]),
        ("tokenizer decode --model nosuch", ["cannot read the tokenizer nosuch"]),
    ],
    "a folder without train files": [
        (f"{TRAIN} {{broken}}/nothing", ["nothing has no train part", "train.en", "train.de"]),
        (f"{TRAIN} {{corpus}} --src fr --tgt it", ["has no train part", "train.fr", "--src"]),
    ],
    "different line counts": [
        (f"{TRAIN} {{broken}}/uneven", ["uneven/train.en has 52 lines", "uneven/train.de has 3"]),
        ("evaluate --hyp {corpus}/train.de --ref {corpus}/test.de", ["52 lines", "reference 1 has 4"]),
        ("evaluate --hyp {corpus}/dev.de --hyp {corpus}/train.de --ref {corpus}/test.de", ["train.de: 52 lines", "4"]),
        ("translate --model {model} --score {corpus}/test.de", ["1 source lines", "4 translations"]),
    ],
    "invalid UTF-8": [
        (f"{TRAIN} {{broken}}/not-utf8", ["not-utf8/train.de, line 3", "UTF-8"]),
        ("translate --model {model} --input {broken}/latin", ["latin, line 2", "UTF-8"]),
        ("translate --model {model} --input {broken}/latin --output new", ["latin, line 2", "UTF-8"]),
        ("translate --model {model} --score {broken}/latin", ["latin, line 2", "UTF-8"]),
        ("evaluate --hyp {broken}/latin --ref {corpus}/test.de", ["latin, line 2", "UTF-8"]),
        ("evaluate --hyp {corpus}/test.de --ref {broken}/latin", ["latin, line 2", "UTF-8"]),
        ("tokenizer learn --input {corpus}/train.en --input {broken}/latin --out new", ["latin, line 2", "UTF-8"]),
        ("train --recipe {broken}/latin.toml", ["latin.toml is not UTF-8"]),
    ],
    "an empty corpus": [
        (f"{TRAIN} {{broken}}/empty", ["train part of {broken}/empty holds no pairs"]),
        (f"{TRAIN} {{broken}}/blank", ["of 3 train pairs none is left", "3 empty"]),
        ("corpus --data {broken}/blank --src en --tgt de --check", ["of 3 train pairs none is left", "3 empty"]),
        ("evaluate --hyp {broken}/empty/train.de --ref {broken}/empty/train.en", ["no references"]),
        ("tokenizer learn --input {broken}/empty/train.en --out new", ["no text"]),
    ],
    "an unknown setting": [
        (f"{TRAIN} {{corpus}} --set model.hiden=16", ["unknown setting 'model.hiden'", "did you mean 'hidden'"]),
        (f"{TRAIN} {{corpus}} --set modle.hidden=16", ["unknown section [modle]", "did you mean 'model'"]),
        (f"{TRAIN} {{corpus}} --set model.cell=gruu", ["model.cell = 'gruu'", "did you mean 'gru'"]),
        ("train --resume {model} --set training.epoch=2", ["'training.epoch'", "did you mean 'epochs'"]),
    ],
    "an unknown recipe": [("train --recipe tatooba --out new", ["unknown recipe 'tatooba'", "did you mean 'tatoeba'"])],
    "a value out of range": [
        (f"{TRAIN} {{corpus}} --set training.label_smoothing=1.5", ["training.label_smoothing = 1.5", "0.0 to 0.99"]),
        (f"{TRAIN} {{corpus}} --set model.hidden=0", ["model.hidden = 0", "from 1 to"]),
        (f"{TRAIN} {{corpus}} --set training.learning_rate=nan", ["training.learning_rate = nan"]),
        (f"{TRAIN} {{corpus}} --set model.hidden=wide", ["model.hidden = 'wide'", "a whole number"]),
        (f"{TRAIN} {{corpus}} --seed -1", ["training.seed = -1", "0 to"]),
        (f"{TRAIN} {{corpus}} --threads 0", ["--threads", "0", "x>=1"]),
        ("translate --model {model} --beam 0", ["--beam", "0", "1<=x<=1000"]),
        ("translate --model {model} --nbest 0", ["--nbest", "0", "x>=1"]),
        ("translate --model {model} --length-penalty nan", ["--length-penalty", "nan is not a number"]),
        ("translate --model {model} --sample nan", ["--sample", "nan is not a number"]),
        ("translate --model {model} --seed 3", ["--seed 3 goes with --sample"]),
        ("translate --model {model} --column a", ["--column is for CSV and TSV files"]),
        ("translate --model {model} --score {corpus}/test.de --nbest 3", ["--score", "--nbest"]),
        ("translate --model {model} --batch-tokens 0", ["--batch-tokens", "0", "x>=1"]),
        ("translate --model {model} --length-penalty -1", ["--length-penalty", "-1", "0<=x<=10"]),
        ("evaluate --ref {corpus}/test.de --hyp {corpus}/test.de --seed 0", ["--seed", "0", "x>=1"]),
        ("tokenizer learn --out new --vocab-size 5", ["tokenizer.vocab_size = 5", "300"]),
        ("tokenizer learn --out new --kind bp", ["tokenizer.kind = 'bp'", "did you mean 'bpe'"]),
    ],
    "a model folder with a missing file": [
        (f"{command} {{broken}}/without-{name}", [f"without-{name}", name])
        for command in ("translate --model", "evaluate --data {corpus} --model")
        for name in ("config.toml", "model.safetensors", "tokenizer.model")
    ]
    + [
        ("train --resume {broken}/untrained", ["untrained/training holds no training state"]),
        ("train --resume {broken}/without-tokenizer.model", ["without-tokenizer.model/tokenizer.model"]),
        ("train --resume {broken}/without-config.toml", ["without-config.toml", "config.toml is missing"]),
    ],
    "weights that do not fit the config": [
        ("translate --model {broken}/wider", ["wider/model.safetensors does not fit config.toml", "48", "32"]),
        ("translate --model {broken}/of-the-future", ["config.toml has format 99", "reads 1"]),
        ("translate --model {broken}/cut-config.toml", ["cut-config.toml/config.toml is not valid TOML"]),
        ("translate --model {broken}/cut-model.safetensors", ["model.safetensors is damaged"]),
    ],
    "a tokenizer that does not fit the model": [
        (
            "translate --model {broken}/same-size",
            ["same-size: the tokenizer is not the one", "restore the folder's own"],
        ),
        (
            "translate --model {broken}/other-size",
            ["other-size: the tokenizer is not the one that fits config.toml", "restore the folder's own"],
        ),
        ("translate --model {broken}/cut-tokenizer.model", ["tokenizer.model: not a whole SentencePiece model"]),
        ("tokenizer encode --model {broken}/file", ["file: not a whole SentencePiece model"]),
    ],
    "an output folder that holds a model": [
        ("train --recipe {recipe} --data {corpus} --out {model}", ["{model} holds a model", "--resume", "--overwrite"]),
        ("train --recipe {recipe} --data {corpus} --out {broken}/without-config.toml", ["holds a model"]),
    ],
}


@pytest.mark.parametrize(
    ("command", "names"),
    [pytest.param(*case, id=f"{kind}-{case[0]}") for kind, cases in TWELVE.items() for case in cases],
)
def test_twelve_kinds_of_bad_input_are_refused(
    check: Callable[[str, list[str]], None], command: str, names: list[str]
) -> None:
    check(command, names)


@pytest.mark.parametrize("name", ["wider", "other-size"])
def test_a_run_whose_files_do_not_fit_each_other_is_not_resumed(
    check: Callable[[str, list[str]], None], name: str
) -> None:
    check(f"train --resume {{broken}}/{name} --set training.updates=200", [name, "fit"])


def test_there_are_twelve_kinds() -> None:
    assert len(TWELVE) == 12


LONG = "x" * 300
OTHER = [
    # unknown commands, options and values
    ("trian", ["unknown command 'trian'", "did you mean 'train'"]),
    ("tokenizer encod", ["unknown command 'encod'", "did you mean 'encode'"]),
    ("train --daat x", ["--daat", "--data"]),
    ("translate --model {model} some-file", ["some-file"]),
    ("translate --model", ["--model"]),
    ("evaluate --metric blue", ["--metric", "'blue'", "bleu"]),
    ("translate --model {model} --device gpu", ["--device", "'gpu'", "cuda"]),
    ("translate --model {model} --beam five", ["--beam", "'five'"]),
    # empty values, as unset shell variables give
    ("train --recipe {recipe} --out new --data ''", ["the value of --data is empty"]),
    ("train --recipe {recipe} --data {corpus} --out=", ["the value of --out is empty"]),
    ("tokenizer learn --out '' --input {corpus}/train.en", ["the value of --out is empty"]),
    ("translate --model {model} --memory ''", ["the value of --memory is empty"]),
    # files in place of folders, and folders in place of files
    (f"{TRAIN} {{corpus}}/train.en", ["corpus/train.en is not a .tsv"]),
    ("train --recipe {recipe} --data {corpus} --out {broken}/file", ["{broken}/file is a file"]),
    ("train --recipe {recipe} --data {corpus} --out {broken}/file/new", ["{broken}/file is a file"]),
    ("train --recipe {broken}/bad.toml", ["bad.toml is not valid TOML"]),
    ("train --recipe {corpus}/", ["cannot read {corpus}"]),
    ("train --resume {broken}/nothing", ["nothing is not a model folder", "config.toml is missing"]),
    ("translate --model {broken}/file", ["no model folder {broken}/file"]),
    ("translate --model {model} --input {corpus}", ["cannot read {corpus}", "directory"]),
    ("translate --model {model} --input {broken}/cut.gz", ["cannot read {broken}/cut.gz", "not a whole gzip file"]),
    ("translate --model {model} --output {corpus}", ["cannot write {corpus}", "folder"]),
    ("translate --model {model} --output .", ["cannot write .", "folder"]),
    ("translate --model {model} --output nosuch/new", ["no folder nosuch"]),
    ("translate --model {model} --output {broken}/file/new", ["no folder {broken}/file"]),
    ("tokenizer learn --input {corpus}/train.en --out {corpus}", ["cannot write {corpus}", "folder"]),
    ("tokenizer learn --input {corpus}/train.en --out nosuch/new", ["no folder nosuch"]),
    ("tokenizer learn --input {corpus} --out new", ["cannot read {corpus}", "directory"]),
    ("evaluate --hyp {corpus} --ref {corpus}/test.de", ["cannot read {corpus}", "directory"]),
    ("tokenizer learn --input {corpus}/train.en --out new.gz", ["--out new.gz: a tokenizer is not packed"]),
    ("tokenizer encode --model {model}", ["{model}: it is a folder; check the path, or give the tokenizer.model"]),
    ("export --model {model} --out {broken}/file", ["{broken}/file is a file; give a folder"]),
    ("export --model {model} --out {broken}/file/new", ["{broken}/file is a file; give a folder"]),
    ("export --model {broken}/untrained --out new --average 1", ["untrained holds no checkpoints of a run to average"]),
    (
        "evaluate --hyp {broken}/text.bz2 --ref {corpus}/test.de",
        ["text.bz2 is packed; unpack it"],
    ),
    ("translate --model {model} --input {broken}/text.bz2", ["text.bz2 is packed; unpack it"]),
    ("translate --model {model} --input {corpus}/test.en --output new.xz", ["cannot write new.xz", "only .gz"]),
    ("train --recipe {recipe} --data {corpus} --data {corpus}/=2 --out new", ["{corpus} is given twice", "{corpus}=2"]),
    ("translate --model 'of two\nlines'", ["no model folder of two lines"]),
    (f"translate --model {LONG}", [LONG]),
    (f"translate --model {{model}} --input {LONG}", [LONG]),
    (f"translate --model {{model}} --output {LONG}", [LONG]),
    (f"train --out {LONG}", [LONG]),
    # options that exclude each other or are incomplete
    ("translate --model {model} --nbest 5 --beam 3", ["--nbest 5", "--beam 5"]),
    ("translate --model {model} --sample 1 --beam 3", ["--beam 3 searches", "--sample 1.0 samples"]),
    ("translate --model nosuch --sample 1 --beam 3", ["--beam 3 searches"]),
    ("evaluate", ["nothing to measure", "--model", "--hyp"]),
    ("evaluate --hyp {corpus}/test.de", ["--ref"]),
    ("evaluate --ref {corpus}/test.de", ["--hyp"]),
    ("evaluate --hyp {corpus}/test.de --hyp {corpus}/test.en", ["references"]),
    ("evaluate --hyp {corpus}/test.de --hyp {corpus}/test.de --ref {corpus}/test.de", ["test.de is given twice"]),
    ("evaluate --hyp - --ref -", ["standard input can be read only once"]),
    ("evaluate --hyp {corpus}/test.de --ref {corpus}/test.de --seed 3", ["--seed goes with --confidence"]),
    ("evaluate --model {model} --hyp {corpus}/test.de", ["--model", "--hyp"]),
    ("evaluate --hyp {corpus}/test.de --ref {corpus}/test.de --data {corpus}", ["--data", "go with --model"]),
    ("evaluate --model {model} --data {corpus} --split tset", ["no split 'tset'", "dev, test, test2, train"]),
    ("evaluate --model {model} --data {corpus} --tgt fr", ["has no .fr file"]),
    ("evaluate --model {model} --data nosuch --memory none", ["nosuch is not there"]),
    ("train --resume {model} --data nosuch", ["nosuch", "is not there", "--data WHERE"]),
    ("train --resume {model} --src en", ["--resume"]),
    ("train --resume {model} --finetune {model}", ["--resume"]),
    ("train --resume {model} --set training.finetuned=x", ["training.finetuned", "--finetune MODEL"]),
    ("train --finetune {model} --out new --set training.finetuned=x", ["training.finetuned", "--finetune MODEL"]),
    # weights of texts
    (f"{TRAIN} {{corpus}}=1e9", ["a number above 0 and at most 1,000"]),
    (f"{TRAIN} {{corpus}}=nan", ["a number above 0 and at most 1,000"]),
    ("evaluate --model {model} --data {corpus}=0.5", ["{corpus}=0.5: only train weighs its texts; give {corpus}"]),
    ("translate --model {model} --memory {corpus}=0.5", ["{corpus}=0.5: only train weighs its texts; give {corpus}"]),
    ("report --model {model} --data {corpus}=0.5", ["{corpus}=0.5: only train weighs its texts; give {corpus}"]),
    ("corpus --data {corpus}=0.5 --out new", ["{corpus}=0.5: only train weighs its texts; give {corpus}"]),
    ("translate --model {model} --min-length 6 --max-length 5", ["min_length 6 is above max_length 5"]),
    ("corpus --data {corpus} --columns en,de --out new", ["--columns en,de", "{corpus} has no table", "leave it out"]),
    (f"{TRAIN} {{corpus}} --columns en,de", ["--columns en,de", "{corpus} has no table"]),
    ("translate --model {model} --score {corpus}/test.de --beam 1", ["--score", "--beam"]),
    ("translate --model {model} --score -", ["standard input can be read only once", "--input FILE"]),
    ("translate --model {model} --input - --prefix -", ["standard input can be read only once", "--input FILE"]),
    ("translate --model {model} --input {corpus}/test.en --prefix -", ["standard input has fewer lines"]),
    ("translate --model {model} --score {corpus}/test.de --length-penalty 0", ["--score", "--length-penalty"]),
    ("translate --model {model} --score {corpus}/test.de --word-reward 0", ["--score", "--word-reward"]),
    ("evaluate --hyp {corpus}/test.de --ref {corpus}/test.de --threads 1", ["--threads", "go with --model"]),
    ("evaluate --hyp {corpus}/test.de --ref {corpus}/test.de --device cpu", ["--device", "go with --model"]),
    ("evaluate --hyp {corpus}/test.de --ref {corpus}/test.de --metric chrf --tokenize zh", ["--tokenize zh", "chrF"]),
    ("benchmark --recipe auto", ["auto", "another recipe"]),
    ("train --resume {model} --recipe {recipe}", ["--resume"]),
    ("train --resume {model} --out new", ["--resume"]),
    ("train --resume {model} --seed 3", ["--resume"]),
    ("train --resume {model} --overwrite", ["--resume"]),
    ("train --resume {model} --set model.hidden=16", ["--resume", "training.*"]),
    ("train --resume {model} --out new --set hidden=16", ["--resume"]),
    ("train --recipe {recipe} --out {model} --set hidden=16", ["{model} holds a model"]),
    (f"{TRAIN} {{corpus}} --set hidden=16", ["--set hidden=16", "SECTION.NAME=VALUE"]),
    (f"{TRAIN} {{corpus}} --src en --tgt en", ["'en'", "two languages"]),
    # text of the wrong kind
    ("tokenizer decode --model {model}/tokenizer.model", ["standard input, line 1", "encode --ids"]),
]


@pytest.mark.parametrize(("command", "names"), OTHER, ids=[command for command, _ in OTHER])
def test_other_bad_input_is_refused(check: Callable[[str, list[str]], None], command: str, names: list[str]) -> None:
    check(command, names)


@pytest.mark.parametrize("words", ["999999", "-1", "1.0", "²", "9" * 5000])
def test_decoding_accepts_only_the_numbers_of_pieces(model: Path, words: str) -> None:
    result = call("tokenizer", "decode", "--model", model / "tokenizer.model", stdin=f"5 6\n7 {words}\n")
    refused(result._replace(out=""), "standard input, line 2", "encode --ids")


@pytest.mark.parametrize("command", ["translate --model", "tokenizer encode --model"])
def test_standard_input_that_is_not_utf8_is_refused(model: Path, command: str) -> None:
    path = model / "tokenizer.model" if command.startswith("tokenizer") else model
    result = call(*command.split(), path, stdin=b"A cat sleeps.\n\nA caf\xe9 waits.\n")
    refused(result._replace(out=""), "standard input, line 3", "UTF-8")


@pytest.mark.parametrize("command", ["train --recipe {} --out new", "translate --model {}", "evaluate --model {}"])
def test_device_cuda_without_a_gpu_is_refused(
    monkeypatch: pytest.MonkeyPatch, model: Path, recipe: Path, command: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = recipe if command.startswith("train") else model
    refused(call(*command.format(path).split(), "--device", "cuda"), "--device cuda", "no GPU", "--device cpu")
    assert not Path("new").exists()


def test_an_output_folder_that_cannot_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, corpus: Path, recipe: Path
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    refused(call("train", "--recipe", recipe, "--data", corpus, "--out", "new"), "--out new", "cannot be written")
    assert not Path("new").exists()


def test_without_arguments_the_help_is_printed() -> None:
    assert call() == call("--help")
    assert call("tokenizer") == call("tokenizer", "--help")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    ],
)
def test_too_little_memory_is_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(failure: Exception) -> Callable[..., None]:
        def fails(*_: object, **__: object) -> None:
            raise failure

        return fails

    monkeypatch.setattr("seq2seq.commands.train.train", failing(error))
    result = call("train", "--out", "new")
    assert result.status == 1
    assert result.err == "error: there is not enough memory; divide very long lines, or make batches smaller\n"
    monkeypatch.setattr("seq2seq.commands.train.train", failing(RuntimeError("another")))
    with pytest.raises(RuntimeError, match="another"):
        call("train", "--out", "new")
