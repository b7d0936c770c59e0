"""The engine that computes an exported model with ONNX Runtime. It does not import torch, so it starts fast.

Neither the batch nor the number of threads changes a bit of a translation or its score.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files, layout
from seq2seq.onnx import names
from seq2seq.onnx.nearest_neighbour import Floats, OnnxDatastore, Retrieved
from seq2seq.text.batches import Arrays
from seq2seq.text.tokenizer import TokenizerConfig
from seq2seq.translation.beam import Ids, LogProbs
from seq2seq.translation.bundle import Bundle, Mask
from seq2seq.translation.search import Proposal
from seq2seq.translation.translation_memory import TranslationMemory

NamedArrays = dict[str, NDArray[Any]]  # by their names in the graphs
OF_MEMORY = names.FEATURES, names.OTHER_LOG_PROBS  # outputs that only a translation memory needs


class State(NamedTuple):
    """The decoder's inputs of W hypotheses for each of B sentences."""

    layers: NamedArrays  # the state (B * W, N) of each layer
    memory: NamedArrays  # the SourceMemory of the B sentences
    retrieved: Retrieved | None = None  # from the translation memory, if there is one

    def select(self, rows: Ids) -> "State":
        """The state of these rows (B', W'); see `seq2seq.translation.search.State`."""
        size = len(next(iter(self.memory.values())))
        width = len(next(iter(self.layers.values()))) // size
        sentences, flat = rows[:, 0] // width, rows.ravel()
        if len(flat) == size * width and bool((flat == np.arange(len(flat))).all()):
            return self
        everyone = len(sentences) == size and bool((sentences == np.arange(size)).all())
        memory = self.memory if everyone else {name: x[sentences] for name, x in self.memory.items()}
        retrieved = self.retrieved if everyone or not self.retrieved else self.retrieved.select(sentences)
        return State({name: x[flat] for name, x in self.layers.items()}, memory, retrieved)


class OnnxEngine:
    """The two graphs of an exported model, behind the methods of `seq2seq.translation.bundle.Engine`."""

    def __init__(
        self,
        encoder: InferenceSession,
        decoder: InferenceSession,
        memory: TranslationMemory | None = None,
        share: float = 0.0,
    ) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.encoder_outputs, all_outputs = ([x.name for x in each.get_outputs()] for each in (encoder, decoder))
        self.aligns, self.remembers = names.KEYS in self.encoder_outputs, names.FEATURES in all_outputs
        self.decoder_outputs = [name for name in all_outputs if memory or name not in OF_MEMORY]
        self.datastore = OnnxDatastore(self._features, memory, share) if memory else None
        self.has_memory = self.datastore is not None

    def start(self, src: Ids, mask: Mask) -> State:
        """The state of sentences src (B, S), mask (B, S), before their first token."""
        retrieved = self.datastore.retrieve(src, mask) if self.datastore else None
        return self._encoded(src, mask)._replace(retrieved=retrieved)

    def _encoded(self, src: Ids, mask: Mask) -> State:
        """The state before the first token, with nothing retrieved."""
        arrays = self.encoder.run(None, {names.SRC: src, names.MASK: mask})
        outputs = dict(zip(self.encoder_outputs, arrays, strict=True))
        layers = {name: x for name, x in outputs.items() if name.startswith(names.STATE)}
        return State(layers, {name: x for name, x in outputs.items() if name not in layers})

    def propose(self, tokens: Ids, targets: Ids, state: State, count: int) -> tuple[Proposal, State]:
        """The `count` best next tokens after tokens (B, W); see `seq2seq.translation.bundle.Engine`."""
        outputs = self._step(tokens, targets, state, count)
        candidates, log_probs, target_log_probs, source = (
            outputs.pop(name).reshape(*tokens.shape, -1)
            for name in (names.CANDIDATES, names.LOG_PROBS, names.TARGET_LOG_PROBS, names.SOURCE)
        )
        proposal = Proposal(candidates, log_probs, target_log_probs[:, :, 0], source[:, :, 0])
        if state.retrieved:
            features, of_known = (outputs.pop(name).reshape(*tokens.shape, -1) for name in OF_MEMORY)
            proposal = state.retrieved.interpolate(proposal, of_known, features, targets)
        return proposal, state._replace(layers=outputs)

    def _step(self, tokens: Ids, targets: Ids, state: State, count: int) -> NamedArrays:
        """The outputs of the decoder's graph, that of the next state by the names of its inputs."""
        inputs = {names.TOKENS: tokens.ravel(), names.TARGET: targets.ravel(), names.COUNT: np.array([count])}
        if self.remembers:
            known = state.retrieved.known if state.retrieved else np.zeros((len(tokens), 0), np.int64)
            inputs[names.OTHERS] = known.repeat(tokens.size // len(tokens), axis=0)
        arrays = self.decoder.run(self.decoder_outputs, {**inputs, **state.layers, **state.memory})
        return dict(zip((name.removeprefix(names.NEXT) for name in self.decoder_outputs), arrays, strict=True))

    def log_probs(self, pairs: Arrays) -> LogProbs:
        """log p(tgt | src) (B,) of each of B pairs in nats, by teacher forcing one step at a time."""
        state, total = self.start(pairs.src, pairs.src_mask), np.zeros(len(pairs.src))
        for t in range(pairs.tgt_in.shape[1]):
            at = slice(t, t + 1)
            proposal, state = self.propose(pairs.tgt_in[:, at], pairs.tgt_out[:, at], state, 1)
            total += np.where(pairs.tgt_mask[:, t], proposal.target_log_probs[:, 0], 0.0)
        return total

    def with_memory(self, memory: TranslationMemory, share: float) -> "OnnxEngine":
        """See `seq2seq.translation.bundle.Engine`."""
        return OnnxEngine(self.encoder, self.decoder, memory, share)

    def _features(self, pairs: Arrays) -> Floats:
        """The features (B, T, E) of the output layer after each target token, by teacher forcing."""
        state, of_steps = self._encoded(pairs.src, pairs.src_mask), []
        for t in range(pairs.tgt_in.shape[1]):
            outputs = self._step(pairs.tgt_in[:, t], pairs.tgt_out[:, t], state, 1)
            of_steps.append(outputs[names.FEATURES])
            state = state._replace(layers={name: outputs[name] for name in state.layers})
        return np.stack(of_steps, axis=1)


def load(folder: Path, threads: int) -> Bundle:
    """The exported model of a folder, ready to translate on this number of threads.

    Raises:
        InputError: a file is missing or damaged, or the graphs were exported with another tokenizer.
    """
    sections = layout.read_settings(folder)
    shape = config.build(TokenizerConfig, sections.get("tokenizer", {}), "tokenizer")
    graphs = layout.ENCODER, layout.DECODER
    for name in graphs:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name} is missing; restore it, or export the model again")
    with ThreadPoolExecutor() as pool:  # beside what follows: a process starts so much earlier (docs/lab)
        opened = [pool.submit(_session, folder / name, threads) for name in graphs]
        tokenizers = layout.read_tokenizers(folder, shape)
        files.verify(folder, *graphs, *layout.common_files(folder, shape.joint))
        sessions = [each.result() for each in opened]
    for session in sessions:
        if session.get_modelmeta().custom_metadata_map.get(layout.TOKENIZER) != layout.fingerprint(*tokenizers):
            raise InputError(
                f"{folder}: the tokenizer is not the one the graphs were made with; restore the folder's own"
            )
    return Bundle.from_settings(OnnxEngine(*sessions), tokenizers, sections)


def options(threads: int) -> SessionOptions:
    """The options of ONNX Runtime for a session on this number of threads."""
    result = SessionOptions()
    result.intra_op_num_threads, result.inter_op_num_threads = threads, 1
    result.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it would slow down beside other programs
    result.add_session_config_entry("session.disable_quant_qdq", "1")  # dequantise weights once, not at each run
    result.log_severity_level = 4  # failures are reported by our exceptions alone
    return result


def _session(path: Path, threads: int) -> InferenceSession:
    try:
        return InferenceSession(path.read_bytes(), options(threads), providers=["CPUExecutionProvider"])
    except Exception as e:  # its exceptions have no common class
        raise InputError(f"{path} is damaged ({e}); export the model again") from None
