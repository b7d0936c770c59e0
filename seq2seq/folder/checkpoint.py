"""A trained model is a folder: weights (safetensors), settings and tokenizer; see `layout`.

At any moment every file is whole. Nothing is ever unpickled. A file that is missing, damaged or does not fit the others
is named.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.folder.layout import (
    CARD,
    CONFIG,
    DECODER,
    ENCODER,
    JOINT,
    METRICS,
    PLOTS,
    REPORT,
    SIDES,
    STOPPED,
    SYNTHETIC,
    TOKENIZER,
    WEIGHTS,
    fingerprint,
    read_settings,
    read_tokenizers,
    tokenizer_names,
    training_states,
)
from seq2seq.network.model import Model, ModelConfig
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.translator import Bundle

DTYPES = "F32", "F16", "BF16"  # that weights may have
SCALE = ".scale"  # behind a matrix's name: what one is worth in each row, where the matrix is held in eight bits


def clear(folder: Path) -> None:
    """Remove what an earlier training left in the folder, and nothing else."""
    names = [CONFIG, WEIGHTS, ENCODER, DECODER, METRICS, CARD, REPORT, STOPPED, SYNTHETIC, JOINT, *SIDES]
    plots = [f"{PLOTS}/{path.name}" for path in (folder / PLOTS).glob("events.out.tfevents.*")]
    files.remove(folder, [*names, *plots, *training_states(folder)])


def weights_of(model: Model) -> dict[str, Tensor]:
    """Each parameter once, by name; a tied table goes by its first."""
    return {name: p.detach() for name, p in model.named_parameters()}


def save_weights(
    folder: Path, weights: Mapping[str, Tensor], src_tokenizer: Tokenizer, tgt_tokenizer: Tokenizer
) -> None:
    """Write `model.safetensors`, which remembers the tokenizers it goes with."""
    content = safetensors.torch.save(dict(weights), {TOKENIZER: fingerprint(src_tokenizer, tgt_tokenizer)})
    files.publish(folder, WEIGHTS, content)


def in_eight_bits(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in another form that `load_model` reads: matrices as whole numbers up to 127 and a scale a row.

    So a weight is off by no more than 1/254 of the largest one of its row. What is no matrix has sixteen bits.
    """
    held: dict[str, Tensor] = {}
    for name, w in weights.items():
        if w.dim() == 2:
            held[name + SCALE] = scale = w.float().abs().amax(1, keepdim=True).clamp_min(1e-30) / 127
            held[name] = (w / scale).round().to(torch.int8)
        else:
            held[name] = w.half()
    return held


def load_model(folder: Path, device: str = "cpu") -> Bundle:
    """The model of a folder, ready to translate.

    Raises:
        InputError: a file is missing or damaged, or weights, settings and tokenizer do not fit one another.
    """
    sections = read_settings(folder)
    shape = config.build(ModelConfig, sections.get("model", {}), "model")
    text = config.build(TokenizerConfig, sections.get("tokenizer", {}), "tokenizer")
    tokenizers = read_tokenizers(folder, text)
    with torch.device("meta"):
        model = Model(shape, *map(len, tokenizers))
    weights, metadata = _read_tensors(folder / WEIGHTS, model)
    if metadata.get(TOKENIZER) != fingerprint(*tokenizers):
        raise InputError(f"{folder}: the tokenizer is not the one {WEIGHTS} was trained with; restore the folder's own")
    files.verify(folder, CONFIG, WEIGHTS, *tokenizer_names(text.joint))
    model.to_empty(device=device).tie()
    load_weights(model, weights)
    return Bundle.from_settings(TorchEngine(model.eval()), tokenizers, sections)


def load_ensemble(folders: Sequence[Path], device: str = "cpu") -> Bundle:
    """The models of the folders as one, which has the settings of the first.

    Raises:
        InputError: as `load_model`, or two have not the same tokenizers.
    """
    bundles = [load_model(folder, device) for folder in folders]
    known = [fingerprint(bundle.src_tokenizer, bundle.tgt_tokenizer) for bundle in bundles]
    for folder, other in zip(folders, known, strict=True):
        if other != known[0]:
            raise InputError(f"{folder} has another tokenizer than {folders[0]}; an ensemble has one vocabulary")
    models = [model for bundle in bundles if isinstance(bundle.engine, TorchEngine) for model in bundle.engine.models]
    return bundles[0]._replace(engine=TorchEngine(*models))


def load_weights(model: Model, weights: Mapping[str, Tensor], name: str = WEIGHTS) -> None:
    """Copy the weights into the model.

    Raises:
        InputError: they are of another model; `name` says where they come from.
    """
    _check_fit(name, model, {key: list(w.shape) for key, w in weights.items()})
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])


def _read_tensors(path: Path, model: Model) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file whose header fits the model's parameters, looked at before anything is allocated."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            scales = {name: slices.pop(name + SCALE) for name in list(slices) if name + SCALE in slices}
            _check_fit(str(path), model, {name: part.get_shape() for name, part in slices.items()})
            for name, part in slices.items():
                wanted = ("I8",) if name in scales else DTYPES
                if (held := part.get_dtype()) not in wanted:
                    raise InputError(f"{path}: {name} is {held}, expected one of {', '.join(wanted)}; restore the file")
            for name, part in scales.items():
                held, fitting = f"{part.get_dtype()} {part.get_shape()}", f"F32 [{slices[name].get_shape()[0]}, 1]"
                if held != fitting:
                    raise InputError(f"{path}: {name}{SCALE} is {held}, expected {fitting}; restore the file")
            weights = {name: file.get_tensor(name) for name in slices}
            weights |= {name: weights[name] * file.get_tensor(name + SCALE) for name in scales}
            return weights, file.metadata() or {}
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it, or train the model again") from None
    except (safetensors.SafetensorError, OSError) as e:
        raise InputError(f"{path} is damaged ({e}); restore it, or train the model again") from None


def _check_fit(what: str, model: Model, found: Mapping[str, list[int]]) -> None:
    expected = {name: list(p.shape) for name, p in model.named_parameters()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise InputError(
                f"{what} does not fit {CONFIG} and the tokenizer: {name} is {found.get(name, 'missing')}, "
                f"expected {expected.get(name, 'none')}; restore the files that belong together"
            )
