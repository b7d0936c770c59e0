"""The weights of a model folder (safetensors), written and read; `load_model` checks that they fit the other files.

Files are replaced atomically and nothing is ever unpickled. An error names the file that is missing, damaged or does
not fit the others. This module does not know training or exported graphs.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files
from seq2seq.folder.layout import (
    CARD,
    CONFIG,
    DECODER,
    ENCODER,
    JOB,
    JOINT,
    METRICS,
    PLOTS,
    REPORT,
    SIDES,
    STOPPED,
    SYNTHETIC,
    TOKENIZER,
    WEIGHTS,
    WORDS,
    common_files,
    fingerprint,
    read_settings,
    read_tokenizers,
    training_states,
)
from seq2seq.network.model import Model, ModelConfig
from seq2seq.text.tokenizer import Tokenizer, TokenizerConfig
from seq2seq.translation.bundle import Bundle
from seq2seq.translation.inference import TorchEngine

DTYPES = "F32", "F16", "BF16"  # of weights that are not quantized
SCALE = ".scale"  # suffix of the tensor with the scale of each row of an 8-bit matrix


def clear(folder: Path) -> None:
    """Remove the files of an earlier training from the folder, and nothing else."""
    names = [CONFIG, WEIGHTS, ENCODER, DECODER, METRICS, CARD, REPORT, STOPPED, SYNTHETIC, JOB, JOINT, *SIDES, WORDS]
    plots = [f"{PLOTS}/{path.name}" for path in (folder / PLOTS).glob("events.out.tfevents.*")]
    files.remove(folder, [*names, *plots, *training_states(folder)])


def weights_of(model: Model) -> dict[str, Tensor]:
    """The parameters by name, detached, in the model's storage; a tied table once, under its first name."""
    return {name: p.detach() for name, p in model.named_parameters()}


def save_weights(
    folder: Path, weights: Mapping[str, Tensor], src_tokenizer: Tokenizer, tgt_tokenizer: Tokenizer
) -> None:
    """Write `model.safetensors`, with the fingerprint of the tokenizers in its metadata."""
    content = safetensors.torch.save(dict(weights), {TOKENIZER: fingerprint(src_tokenizer, tgt_tokenizer)})
    files.publish(folder, WEIGHTS, content)


def quantize(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as int8 with one float32 scale per row, the other weights as float16; `load_model` reads both.

    w ~ scale * round(w / scale), scale = max |w| / 127 over the row: an error of at most 1/254 of the row's largest.
    """
    quantized: dict[str, Tensor] = {}
    for name, w in weights.items():
        if w.dim() == 2:
            quantized[name + SCALE] = scale = w.float().abs().amax(1, keepdim=True).clamp_min(1e-30) / 127
            quantized[name] = (w / scale).round().to(torch.int8)
        else:
            quantized[name] = w.half()
    return quantized


def untrained(model_config: ModelConfig, tokenizers: tuple[Tokenizer, Tokenizer]) -> Model:
    """A new model for the vocabularies of the source's and the target's tokenizer."""
    src, tgt = tokenizers
    return Model(model_config, len(src), len(tgt), src.special)


class _Uninitialised(TorchFunctionMode):
    """Inside the context, `torch.nn.init` leaves parameters as they are.

    On the meta device it would draw no numbers, but import torch's compiler, which changes the environment.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def load_model(folder: Path, device: str = "cpu") -> Bundle:
    """The model of a folder, ready to translate.

    Raises:
        InputError: a file is missing or damaged, or weights, settings and tokenizer do not fit one another.
    """
    sections = read_settings(folder)
    model_config = config.build(ModelConfig, sections.get("model", {}), "model")
    tokenizer_config = config.build(TokenizerConfig, sections.get("tokenizer", {}), "tokenizer")
    tokenizers = read_tokenizers(folder, tokenizer_config)
    if not (folder / WEIGHTS).exists() and training_states(folder):  # written by an earlier version
        raise InputError(f"{folder / WEIGHTS} is missing; restore it, or let the run write it: train --resume {folder}")
    with torch.device("meta"), _Uninitialised():
        model = untrained(model_config, tokenizers)
    weights, metadata = _read_tensors(folder / WEIGHTS, model)
    if metadata.get(TOKENIZER) != fingerprint(*tokenizers):
        raise InputError(f"{folder}: the tokenizer is not the one {WEIGHTS} was trained with; restore the folder's own")
    files.verify(folder, WEIGHTS, *common_files(folder, tokenizer_config.joint))
    model.to_empty(device=device).tie()
    load_weights(model, weights)
    return Bundle.from_settings(TorchEngine(model.eval()), tokenizers, sections)


def load_ensemble(folders: Sequence[Path], device: str = "cpu") -> Bundle:
    """The models of the folders as an ensemble, with the settings of the first.

    Raises:
        InputError: as `load_model`, or two models have different tokenizers or write from opposite ends.
    """
    bundles = [load_model(folder, device) for folder in folders]
    fingerprints = [fingerprint(bundle.src_tokenizer, bundle.tgt_tokenizer) for bundle in bundles]
    for folder, other in zip(folders, fingerprints, strict=True):
        if other != fingerprints[0]:
            raise InputError(f"{folder} has another tokenizer than {folders[0]}; give models with the same tokenizer")
    for folder, bundle in zip(folders, bundles, strict=True):
        if bundle.right_to_left != bundles[0].right_to_left:
            raise InputError(f"{folder} and {folders[0]} write from opposite ends; give one of them as --rescore")
    models = [model for bundle in bundles if isinstance(bundle.engine, TorchEngine) for model in bundle.engine.models]
    return bundles[0]._replace(engine=TorchEngine(*models))


def load_weights(model: Model, weights: Mapping[str, Tensor], name: str = WEIGHTS) -> None:
    """Copy the weights into the model.

    Args:
        name: where they come from, for the message of the error.

    Raises:
        InputError: they are of another model.
    """
    _check_fit(name, model, {key: list(w.shape) for key, w in weights.items()})
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])


def _read_tensors(path: Path, model: Model) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file; its header is checked against the model before anything is allocated."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            scales = {name: slices.pop(name + SCALE) for name in list(slices) if name + SCALE in slices}
            _check_fit(str(path), model, {name: part.get_shape() for name, part in slices.items()})
            for name, part in slices.items():
                dtypes = ("I8",) if name in scales else DTYPES
                if (dtype := part.get_dtype()) not in dtypes:
                    raise InputError(
                        f"{path}: {name} is {dtype}, expected one of {', '.join(dtypes)}; restore the file"
                    )
            for name, part in scales.items():
                header, expected = f"{part.get_dtype()} {part.get_shape()}", f"F32 [{slices[name].get_shape()[0]}, 1]"
                if header != expected:
                    raise InputError(f"{path}: {name}{SCALE} is {header}, expected {expected}; restore the file")
            weights = {name: file.get_tensor(name) for name in slices}
            weights |= {name: weights[name] * file.get_tensor(name + SCALE) for name in scales}
            return weights, file.metadata() or {}
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it, or train the model again") from None
    except (safetensors.SafetensorError, OSError) as e:
        raise InputError(f"{path} is damaged ({e}); restore it, or train the model again") from None


def _check_fit(source: str, model: Model, shapes: Mapping[str, list[int]]) -> None:
    """Raise InputError unless names and shapes are those of the model's parameters; `source` is where they are from."""
    expected = {name: list(p.shape) for name, p in model.named_parameters()}
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            raise InputError(
                f"{source} does not fit {CONFIG} and the tokenizer: {name} is {shapes.get(name, 'missing')}, "
                f"expected {expected.get(name, 'none')}; restore the files that belong together"
            )
