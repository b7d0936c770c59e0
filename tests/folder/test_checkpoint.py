"""A model folder is read back equal; files that are missing, damaged or do not fit are named; nothing is unpickled."""

import errno
import os
import pickle
import random
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import safetensors.torch
import torch
from reversal_task import chosen, reversals, silent

from seq2seq import config
from seq2seq.errors import InputError, WorkError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.model import Model
from seq2seq.text.known_words import KnownWords
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import resume
from seq2seq.training.settings import Settings


class Written(NamedTuple):
    """A model folder and what was written into it."""

    folder: Path
    settings: Settings
    model: Model
    tokenizers: tuple[Tokenizer, Tokenizer]


def learn(text: list[str], settings: Settings) -> Tokenizer:
    return Tokenizer.learn(text, settings.tokenizer, silent)


def written(folder: Path, tied: str = "target", joint: bool = True) -> Written:
    """Write an untrained model; the target vocabulary is smaller than the source's if it is joint, larger if not."""
    settings = chosen({}, {"tied": tied}, joint=joint)
    lines = [pair.src for pair in reversals(50)]
    src = learn(lines, settings)
    if joint:
        src, count = src.sorted_for(["1 2", "2 3"], "unigram")
    tgt = src.first(count) if joint else learn([*lines, "a b c"], settings)
    assert (len(tgt) < len(src)) == joint
    torch.manual_seed(5)
    model = Model(settings.model, len(src), len(tgt))
    layout.save_settings(folder, settings._asdict(), src, tgt)
    checkpoint.save_weights(folder, checkpoint.weights_of(model), src, tgt)
    return Written(folder, settings, model, (src, tgt))


@pytest.fixture
def made(tmp_path: Path) -> Written:
    return written(tmp_path / "model")


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        checkpoint.load_model(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def with_known_words(made: Written) -> KnownWords:
    """Give the folder known words."""
    known = KnownWords({"digits": "one two"}, {("digits", "stigid"): (True, False)})
    made.tokenizers[0].known_words = known
    layout.save_settings(made.folder, made.settings._asdict(), *made.tokenizers)
    return known


# ---- writing and reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tied", "joint"), [("none", True), ("none", False), ("target", True), ("target", False), ("all", True)]
)
def test_a_model_is_read_back_equal(tmp_path: Path, tied: str, joint: bool) -> None:
    folder, settings, model, tokenizers = written(tmp_path / "a" / "b", tied, joint)
    bundle = checkpoint.load_model(folder)
    assert [t.model_bytes for t in bundle[1:3]] == [t.model_bytes for t in tokenizers]
    assert bundle.engine.models[0].config == settings.model
    assert bundle.search == settings.search
    assert (bundle.src, bundle.tgt) == ("digits", "stigid")
    assert not bundle.engine.models[0].training
    src, tgt = torch.tensor([[4, 5, 2]]), torch.tensor([[1, 6]])
    mask = torch.ones_like(src, dtype=torch.bool)
    one, other = (m.advance(tgt, m.start(src, mask))[0] for m in (model.eval(), bundle.engine.models[0]))
    assert torch.equal(one, other)
    names = [name for name, _ in model.named_parameters()]
    assert [name for name, _ in bundle.engine.models[0].named_parameters()] == names
    assert len(names) == len({p.data_ptr() for p in bundle.engine.models[0].parameters()})


@pytest.mark.parametrize("joint", [True, False])
def test_the_files_of_a_model_folder(tmp_path: Path, joint: bool) -> None:
    folder = written(tmp_path / "model", joint=joint).folder
    tokenizers = ["tokenizer.model"] if joint else ["tokenizer.src.model", "tokenizer.tgt.model"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.toml",
        "manifest.json",
        "model.safetensors",
        *tokenizers,
    ]


def test_without_target_pieces_a_joint_tokenizer_is_used_whole(made: Written) -> None:
    """As in folders of earlier versions; an invalid number is refused."""
    count = len(made.tokenizers[1])
    replace_text(made.folder / "config.toml", f"target_pieces = {count}\n", "")
    src, tgt = layout.read_tokenizers(made.folder, made.settings.tokenizer)
    assert src is tgt
    assert src.model_bytes == made.tokenizers[0].model_bytes
    replace_text(made.folder / "config.toml", "format = 1\n", 'format = 1\ntarget_pieces = "many"\n')
    assert "config.toml: seq2seq.target_pieces = 'many' is not a whole number" in refusal(made.folder)


def test_known_words_are_read_back_and_belong_to_the_model(made: Written) -> None:
    assert layout.read_tokenizers(made.folder, made.settings.tokenizer)[0].known_words is None
    known = with_known_words(made)
    assert layout.read_tokenizers(made.folder, made.settings.tokenizer)[0].known_words == known
    checkpoint.load_model(made.folder)
    assert "known-words.json" in layout.tokenizer_files(made.folder)
    path = made.folder / "known-words.json"
    path.write_bytes(KnownWords({"digits": "one"}, known.kept).to_json())
    assert refusal(made.folder).startswith(f"{path} is damaged or was replaced: its SHA-256 is not the one in")
    path.write_text('{"kept": 3}')
    assert refusal(made.folder) == f"{path} is damaged; restore it, or remove it: then no names are kept"
    path.unlink()
    path.mkdir()
    assert refusal(made.folder) == f"cannot read {path}: Is a directory; check its permissions"
    path.rmdir()
    assert checkpoint.load_model(made.folder).src_tokenizer.known_words is None
    with_known_words(made)
    checkpoint.clear(made.folder)
    assert not path.exists()


def test_settings_are_read_back(made: Written) -> None:
    sections = layout.read_settings(made.folder)
    metadata = {"format": 1, "target_pieces": len(made.tokenizers[1])}
    assert config.read(made.folder / "config.toml")["seq2seq"] == metadata
    assert list(sections) == list(Settings._fields)
    assert config.build(type(made.settings.model), sections["model"], "model") == made.settings.model


def test_a_folder_may_be_moved(made: Written, tmp_path: Path) -> None:
    moved = tmp_path / "ein Ordner, ü 漢"
    made.folder.rename(moved)
    weights = checkpoint.weights_of(checkpoint.load_model(moved).engine.models[0])
    assert all(torch.equal(weights[name], w) for name, w in checkpoint.weights_of(made.model).items())


# ---- what is missing, damaged or does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("name", ["config.toml", "model.safetensors", "tokenizer.src.model", "tokenizer.tgt.model"])
def test_a_missing_file_is_named(tmp_path: Path, name: str, joint: bool) -> None:
    folder = written(tmp_path / "model", joint=joint).folder
    if joint and "tokenizer" in name:
        name = "tokenizer.model"
    (folder / name).unlink()
    assert name in (words := refusal(folder))
    assert str(folder) in words


def test_a_missing_folder_and_a_folder_without_a_model_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no").startswith(f"there is no model folder {tmp_path / 'no'}; ")
    assert refusal(tmp_path).startswith(f"{tmp_path} is not a model folder: config.toml is missing; ")
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file").startswith(f"there is no model folder {tmp_path / 'file'}; ")


@pytest.mark.parametrize(
    ("name", "share"),
    [
        *((name, share) for name in ("model.safetensors", "tokenizer.model") for share in (0.0, 0.1, 0.5, 0.999)),
        *(("config.toml", share) for share in (0.0, 0.02, 0.5)),  # without its last line it is valid
    ],
)
def test_a_truncated_file_is_named(made: Written, name: str, share: float) -> None:
    path = made.folder / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert name in refusal(made.folder)


def test_one_flipped_bit_in_the_header_of_the_weights_is_detected(made: Written) -> None:
    """The first 8 bytes are the length of the header, which holds names, shapes and offsets."""
    path = made.folder / "model.safetensors"
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    rng = random.Random(0)
    offsets = [*range(8), *rng.sample(range(8, 8 + size), 100)]
    for offset in offsets:
        damaged = bytearray(content)
        damaged[offset] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        words = refusal(made.folder)
        assert "model.safetensors" in words, (offset, words)
    path.write_bytes(content)
    checkpoint.load_model(made.folder)


def test_the_tokenizer_of_another_model_of_the_same_size_is_refused(made: Written) -> None:
    [path] = made.folder.glob("*.model")
    other = learn(
        [pair.src.translate(str.maketrans("0123456789", "abcdefghij")) for pair in reversals(50)], made.settings
    )
    assert len(other) == len(made.tokenizers[0])
    path.write_bytes(other.model_bytes)
    assert refusal(made.folder) == (
        f"{made.folder}: the tokenizer is not the one that fits config.toml; restore the folder's own"
    )
    other, _ = other.sorted_for(["a b", "b c"], "unigram")
    path.write_bytes(other.model_bytes)
    assert refusal(made.folder) == (
        f"{made.folder}: the tokenizer is not the one model.safetensors was trained with; restore the folder's own"
    )


def test_swapped_tokenizers_are_refused(tmp_path: Path) -> None:
    settings = chosen({}, joint=False)
    tokenizers = [learn([f"{letters}{letters}" for letters in text], settings) for text in ("abc", "xyz")]
    assert len(tokenizers[0]) == len(tokenizers[1])
    model = Model(settings.model, *map(len, tokenizers))
    layout.save_settings(tmp_path, settings._asdict(), *tokenizers)
    checkpoint.save_weights(tmp_path, checkpoint.weights_of(model), *tokenizers)
    checkpoint.load_model(tmp_path)
    layout.save_settings(tmp_path, settings._asdict(), *reversed(tokenizers))
    assert "the tokenizer is not the one" in refusal(tmp_path)


def test_a_tokenizer_of_another_size_is_refused(made: Written) -> None:
    (made.folder / "tokenizer.model").write_bytes(learn(["some more letters"], made.settings).model_bytes)
    words = refusal(made.folder)
    assert words.startswith(f"{made.folder / 'model.safetensors'} does not fit config.toml and the tokenizer: ")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("hidden = 7", "hidden = 8", ["model.safetensors", "expected"]),
        ('context = "additive"', 'context = "general"', ["model.safetensors", "decoder.context.key.weight is [4, 8]"]),
        ('context = "additive"', 'context = "multihead"', ["model.heads = 8", "model.attention = 4"]),
        ("decoder_layers = 1", "decoder_layers = 2", ["model.safetensors", "is [7], expected [14]"]),
        ('tied = "target"', 'tied = "none"', ["model.safetensors", "output.weight is missing, expected"]),
        ('tied = "target"', 'tied = "all"', ["model.safetensors", "src_embedding.table.weight", "expected none"]),
        ('cell = "gru"', 'cell = "lstm"', ["model.safetensors", "expected"]),
        ('cell = "gru"', 'cell = "gruu"', ["model.cell = 'gruu'", "did you mean 'gru'?"]),
        ("decoder_layers = 1", "decoder_layer = 1", ["unknown setting 'model.decoder_layer'", "'decoder_layers'"]),
        ("format = 1", "format = 2", ["config.toml has format 2, this version reads 1; update seq2seq"]),
        ("format = 1\n", "\n", ["config.toml has format None, this version reads 1"]),
        ('metric = "bleu"', 'metric = "', ["config.toml is not valid TOML"]),
    ],
)
def test_settings_that_do_not_fit_are_named(made: Written, old: str, new: str, words: list[str]) -> None:
    replace_text(made.folder / "config.toml", old, new)
    refused = refusal(made.folder)
    assert all(part in refused for part in words), refused


def test_a_missing_or_extra_weight_or_a_wrong_shape_is_refused(made: Written) -> None:
    weights = checkpoint.weights_of(made.model)
    for name, weight in list(weights.items())[::6]:
        for wrong in (
            {k: v for k, v in weights.items() if k != name},
            {**weights, name: weight[:-1]},
            {**weights, name: weight[None]},
            {**weights, f"{name}.more": weight.clone()},
        ):
            checkpoint.save_weights(made.folder, {k: v.contiguous() for k, v in wrong.items()}, *made.tokenizers)
            words = refusal(made.folder)
            assert name in words
            assert "model.safetensors" in words


@pytest.mark.parametrize(("dtype", "name"), [(torch.int32, "I32"), (torch.int8, "I8"), (torch.bool, "BOOL")])
def test_weights_of_an_integer_type_are_refused(made: Written, dtype: torch.dtype, name: str) -> None:
    path = made.folder / layout.WEIGHTS
    weights = {key: w.to(dtype) for key, w in checkpoint.weights_of(made.model).items()}
    files.write(path, safetensors.torch.save(weights, {"tokenizer": "any"}))
    assert f"is {name}, expected one of F32, F16, BF16" in refusal(made.folder)


@pytest.mark.parametrize("tied", ["none", "all"])
def test_a_quantized_weight_errs_by_half_a_step_at_most(tmp_path: Path, tied: str) -> None:
    folder, _, model, tokenizers = written(tmp_path / "model", tied)
    weights = checkpoint.weights_of(model)
    first = weights["decoder.readout.weight"]
    first[0], first[1, 0], first[2] = 0.0, 1e4, 1e-9  # a row of zeros, one with one large weight, one of tiny weights
    checkpoint.save_weights(folder, checkpoint.quantize(weights), *tokenizers)
    loaded = checkpoint.weights_of(checkpoint.load_model(folder).engine.models[0])
    matrices = [name for name, w in weights.items() if w.dim() == 2]
    assert 0 < len(matrices) < len(weights)
    for name in matrices:
        step = weights[name].abs().amax(1, keepdim=True) / 127
        assert ((loaded[name] - weights[name]).abs() <= 0.5001 * step).all(), name
    assert all(torch.equal(loaded[name], w.half().float()) for name, w in weights.items() if name not in matrices)


def test_a_quantized_matrix_without_its_scale_or_with_a_wrong_one_is_refused(made: Written) -> None:
    quantized = checkpoint.quantize(checkpoint.weights_of(made.model))
    name = "decoder.readout.weight"
    scale = quantized[f"{name}.scale"]
    for wrong, words in (
        ({f"{name}.scale": None}, f"{name} is I8, expected one of F32, F16, BF16"),
        ({f"{name}.scale": scale[1:]}, f"{name}.scale is F32 [5, 1], expected F32 [6, 1]"),
        ({f"{name}.scale": scale.squeeze(1)}, f"{name}.scale is F32 [6], expected F32 [6, 1]"),
        ({f"{name}.scale": scale.double()}, f"{name}.scale is F64 [6, 1], expected F32 [6, 1]"),
        ({name: quantized[name].float()}, f"{name} is F32, expected one of I8"),
        ({name: None}, f"{name} is missing"),
        ({"output.bias.scale": scale.clone()}, "output.bias is F16, expected one of I8"),
    ):
        kept = {key: w for key, w in {**quantized, **wrong}.items() if w is not None}
        checkpoint.save_weights(made.folder, {key: w.contiguous() for key, w in kept.items()}, *made.tokenizers)
        refused = refusal(made.folder)
        assert words in refused, refused
        assert "model.safetensors" in refused


@pytest.mark.parametrize("size", [99_999, 10**6, 10**12, 2**63, 10**30])
def test_an_enormous_size_is_refused_at_once(made: Written, size: int) -> None:
    """Before memory is allocated."""
    replace_text(made.folder / layout.CONFIG, "hidden = 7", f"hidden = {size}")
    assert "hidden" in refusal(made.folder) or "does not fit" in refusal(made.folder)


def test_weights_without_the_fingerprint_of_a_tokenizer_are_refused(made: Written) -> None:
    weights = checkpoint.weights_of(made.model)
    (made.folder / "model.safetensors").write_bytes(safetensors.torch.save(weights))
    assert "the tokenizer is not the one" in refusal(made.folder)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.sprung),)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.model", "config.toml", "training"])
@pytest.mark.parametrize("packed", ["pickle", "torch"])
def test_nothing_is_unpickled(made: Written, tmp_path: Path, name: str, packed: str) -> None:
    sprung, bait = tmp_path / "sprung", tmp_path / "bait"
    if packed == "pickle":
        bait.write_bytes(pickle.dumps(Trap(sprung), protocol=0))
    else:
        torch.save({"state": Trap(sprung)}, bait)
    if name == "training":
        (made.folder / "training").mkdir()
        shutil.copy(bait, made.folder / "training" / "step-00000001.safetensors")
        with pytest.raises(InputError, match=r"step-00000001\.safetensors is damaged"):
            resume.load(made.folder)
    else:
        shutil.copy(bait, made.folder / name)
        assert name in refusal(made.folder)
    assert not sprung.exists()
    if packed == "pickle":
        pickle.loads(bait.read_bytes())  # the trap works
        assert sprung.exists()


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_weights_that_cannot_be_written_leave_the_old_model(made: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    zeros = {name: torch.zeros_like(w) for name, w in checkpoint.weights_of(made.model).items()}
    with pytest.raises(WorkError, match=r"cannot write .*: No space left on device"):
        checkpoint.save_weights(made.folder, zeros, *made.tokenizers)
    weights = checkpoint.weights_of(checkpoint.load_model(made.folder).engine.models[0])
    assert all(torch.equal(weights[name], w) for name, w in checkpoint.weights_of(made.model).items())


# ---- folders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("config.toml", True),
        ("model.safetensors", True),
        ("training/step-00000001.safetensors", True),
        ("README.md", False),
        ("notes.txt", False),
    ],
)
def test_which_folders_hold_a_model(tmp_path: Path, name: str, holds: bool) -> None:
    assert not layout.holds_model(tmp_path / "no")
    assert not layout.holds_model(tmp_path)
    files.write(tmp_path / name, b"")
    assert layout.holds_model(tmp_path) == holds


@pytest.mark.parametrize("joint", [True, False])
def test_clearing_removes_the_files_of_training_and_nothing_else(tmp_path: Path, joint: bool) -> None:
    folder = written(tmp_path / "model", joint=joint).folder
    for step in (3, 12):
        resume.save(folder, step, {"weights": {"w": torch.ones(1)}}, {}, keep=5)
    for name in ("metrics.jsonl", "README.md", "tensorboard/events.out.tfevents.17.host.1.0"):
        files.write(folder / name, b"")
    mine = ["notes.txt", "training/notes.txt", "training/model.safetensors", "deep/config.toml", "tokenizer.txt"]
    mine.append("tensorboard/notes.txt")
    for name in mine:
        files.write(folder / name, b"mine")
    checkpoint.clear(folder)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == sorted(mine)
    checkpoint.clear(folder)
    checkpoint.clear(tmp_path / "nowhere")
