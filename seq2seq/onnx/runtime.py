"""An exported model behind the verbs of search, on ONNX OnnxEngine. It imports no torch, and starts in a moment.

The batch changes no bit of a translation or its score, nor does the number of threads.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions

from seq2seq import config
from seq2seq.errors import InputError
from seq2seq.folder import files, layout
from seq2seq.text.batches import Arrays
from seq2seq.text.tokenizer import TokenizerConfig
from seq2seq.translation.search import Ids, LogProbs, Proposal
from seq2seq.translation.translator import Bundle, Mask

Named = dict[str, NDArray[Any]]


class State(NamedTuple):
    """What the decoder reads: each layer's state (B * W, N), and what is remembered of B sentences."""

    layers: Named
    memory: Named

    def select(self, rows: Ids) -> "State":
        """The state of these rows (B', W'); see `seq2seq.translation.search.State`."""
        size = len(next(iter(self.memory.values())))
        width = len(next(iter(self.layers.values()))) // size
        sentences, flat = rows[:, 0] // width, rows.ravel()
        everyone = len(sentences) == size and bool((sentences == np.arange(size)).all())
        memory = self.memory if everyone else {name: x[sentences] for name, x in self.memory.items()}
        return State({name: x[flat] for name, x in self.layers.items()}, memory)


class OnnxEngine:
    """Two graphs and the names of what they give and take."""

    def __init__(self, encoder: InferenceSession, decoder: InferenceSession) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.remembered = [x.name for x in self.encoder.get_outputs()]
        self.results = [x.name.removeprefix("next.") for x in self.decoder.get_outputs()]
        self.aligns = "keys" in self.remembered

    def start(self, src: Ids, mask: Mask) -> State:
        """The state of sentences src (B, S), mask (B, S), before their first token."""
        named = dict(zip(self.remembered, self.encoder.run(None, {"src": src, "mask": mask}), strict=True))
        layers = {name: x for name, x in named.items() if name.startswith("state.")}
        return State(layers, {name: x for name, x in named.items() if name not in layers})

    def propose(self, tokens: Ids, asked: Ids, state: State, count: int) -> tuple[Proposal, State]:
        """How each hypothesis (B, W) goes on from its last token; see `seq2seq.translation.search`."""
        given = {"tokens": tokens.ravel(), "asked": asked.ravel(), "count": np.array([count])}
        found = dict(zip(self.results, self.decoder.run(None, {**given, **state.layers, **state.memory}), strict=True))
        candidates, log_probs, of_asked, source = (
            found.pop(name).reshape(*tokens.shape, -1) for name in ("candidates", "log_probs", "of_asked", "source")
        )
        return Proposal(candidates, log_probs, of_asked[:, :, 0], source[:, :, 0]), State(found, state.memory)

    def log_probs(self, pairs: Arrays) -> LogProbs:
        """log p(tgt | src) of each of B pairs, a step at a time."""
        state, total = self.start(pairs.src, pairs.src_mask), np.zeros(len(pairs.src))
        for t in range(pairs.tgt_in.shape[1]):
            at = slice(t, t + 1)
            proposal, state = self.propose(pairs.tgt_in[:, at], pairs.tgt_out[:, at], state, 1)
            total += np.where(pairs.tgt_mask[:, t], proposal.asked[:, 0], 0.0)
        return total


def load(folder: Path, threads: int) -> Bundle:
    """The exported model of a folder, ready to translate with so many threads.

    Raises:
        InputError: a file is missing or damaged, or the graphs and the tokenizer do not fit one another.
    """
    sections = layout.read_settings(folder)
    shape = config.build(TokenizerConfig, sections.get("tokenizer", {}), "tokenizer")
    tokenizers = layout.read_tokenizers(folder, shape)
    for name in (layout.ENCODER, layout.DECODER):
        if not (folder / name).is_file():
            raise InputError(f"{folder / name} is missing; restore it, or export the model again")
    files.verify(folder, layout.CONFIG, layout.ENCODER, layout.DECODER, *layout.tokenizer_names(shape.joint))
    sessions = [_session(folder / name, threads) for name in (layout.ENCODER, layout.DECODER)]
    for session in sessions:
        if session.get_modelmeta().custom_metadata_map.get(layout.TOKENIZER) != layout.fingerprint(*tokenizers):
            raise InputError(
                f"{folder}: the tokenizer is not the one the graphs were made with; restore the folder's own"
            )
    return Bundle.from_settings(OnnxEngine(*sessions), tokenizers, sections)


def options(threads: int) -> SessionOptions:
    """How a graph is to be run."""
    chosen = SessionOptions()
    chosen.intra_op_num_threads, chosen.inter_op_num_threads = threads, 1
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")  # beside another program it would starve
    chosen.add_session_config_entry("session.disable_quant_qdq", "1")  # weights are made whole once, not at each run
    chosen.log_severity_level = 4  # a failure is told once, as ours
    return chosen


def _session(path: Path, threads: int) -> InferenceSession:
    try:
        return InferenceSession(path.read_bytes(), options(threads), providers=["CPUExecutionProvider"])
    except Exception as e:  # theirs have no class in common
        raise InputError(f"{path} is damaged ({e}); export the model again") from None
