"""An exported model proposes what the trained one does, for every cell and context, in any batch, without torch."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from reversal_task import AWKWARD, Learnt, reversals, silent, untrained
from tiny_models import VARIANTS, VOCABULARY, every_model, sentences, setup, shaken, tiny, together

from seq2seq.errors import InputError
from seq2seq.folder import checkpoint, files, layout
from seq2seq.network.attention import CONTEXTS
from seq2seq.network.cells import CELLS
from seq2seq.network.model import Model
from seq2seq.onnx import names, runtime
from seq2seq.onnx.export import decoder, encoder, export
from seq2seq.onnx.runtime import OnnxEngine
from seq2seq.segments.glossary import Term, Terms
from seq2seq.text.known_words import KnownWords
from seq2seq.text.ragged import Ragged
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import datastore
from seq2seq.translation.bundle import Bundle, Engine
from seq2seq.translation.inference import TorchEngine
from seq2seq.translation.phrase_text import count_in
from seq2seq.translation.search import SearchConfig
from seq2seq.translation.translation_memory import TranslationMemory
from seq2seq.translation.translator import LineTranslator, Translation


def exported(model: Model, int8: bool = False, threads: int = 1) -> OnnxEngine:
    options = runtime.options(threads)
    return OnnxEngine(*(InferenceSession(graph(model, int8).serialised({}), options) for graph in (encoder, decoder)))


MEMORY = TranslationMemory(
    Ragged.of([[5, 6, 7], [8, 9], [5, 5, 5], [10]]), Ragged.of([[7, 6, 5], [9, 8, 9, 9], [], [3]])
)


def differences(model: Model, int8: bool, memory: TranslationMemory | None = None) -> float:
    """The largest difference in nats between the proposals of the two engines, over four steps of three hypotheses.

    No token comes from EOS, the last position, or from padding.
    """
    b, largest = together(sentences()), 0.0
    engines: list[Engine] = [TorchEngine(model), exported(model, int8)]
    if memory:
        engines = [engine.with_memory(memory, 0.4) for engine in engines]
    assert engines[0].aligns == engines[1].aligns == (model.config.context not in ("last", "mean"))
    states = [engine.start(b.src.numpy(), b.src_mask.numpy()) for engine in engines]
    last, ends = np.array([[1], [4], [2], [9]]), b.src_mask.numpy().sum(1) - 1
    for _ in range(4):
        targets = (last + 3) % model.output.out_features
        (expected, state), (actual, other_state) = (
            engine.propose(last, targets, state, 99) for engine, state in zip(engines, states, strict=True)
        )
        assert [x.shape for x in actual] == [x.shape for x in expected]
        assert int8 or (actual.source == expected.source).all()
        assert all((p.source < np.maximum(ends, 1)[:, None]).all() for p in (expected, actual))
        assert (np.diff(actual.log_probs) <= 0).all()
        by_token = [np.take_along_axis(p.log_probs, p.tokens.argsort(-1), -1) for p in (expected, actual)]
        of_targets = [p.target_log_probs for p in (expected, actual)]
        largest = max([largest, *(abs(x - y).max() for x, y in (by_token, of_targets))])
        width = last.shape[1]
        ends = ends[[0, 2, 3, 1]]
        rows = np.arange(4)[[0, 2, 3, 1], None] * width + np.array([[width - 1, 0, width // 2]])
        last = np.concatenate([expected.tokens.reshape(4 * width, -1)[rows[:, i], i, None] for i in range(3)], axis=1)
        states = [state.select(rows), other_state.select(rows)]
    return largest


@every_model
def test_an_exported_model_proposes_what_the_model_does(cell: str, context: str) -> None:
    """Each hypothesis is continued by another token, and sentences change places; two layers and two directions."""
    for sizes in ({}, {"encoder_hidden": (8,), "encoder_layers": 1, "decoder_layers": 1}):
        assert differences(tiny(cell, context, **sizes).float(), int8=False) < 1e-5


def test_an_exported_model_with_a_shared_table_proposes_target_tokens_alone() -> None:
    """The target vocabulary is the first 11 of 13 tokens."""
    torch.manual_seed(3)
    model = shaken(Model(tiny(tied="all").config, VOCABULARY, 11)).float()
    assert differences(model, int8=False) < 1e-5
    state = exported(model).start(np.array([[4, 12, 2]]), np.ones((1, 3), np.bool_))
    proposal, _ = exported(model).propose(np.array([[1]]), np.array([[2]]), state, 99)
    assert sorted(proposal.tokens.ravel()) == list(range(11))


@pytest.mark.parametrize(("lexical", "bound"), [(False, 0.25), (True, 0.4)])  # lexical features have the bound 3
@every_model
def test_in_eight_bits_it_proposes_nearly_the_same(cell: str, context: str, lexical: bool, bound: float) -> None:
    assert 1e-4 < differences(tiny(cell, context, lexical=lexical).float(), int8=True) < bound


@every_model
def test_with_a_memory_it_proposes_what_the_model_does(cell: str, context: str) -> None:
    model = shaken(tiny(cell, context))
    assert differences(model, False, MEMORY) < 1e-4
    assert differences(model, False, MEMORY) != differences(model, False)


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize(("cell", "context"), [*itertools.product(CELLS, CONTEXTS), VARIANTS[-1]])
def test_neither_batches_nor_threads_change_a_bit(cell: str, context: str, int8: bool) -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24, "encoder_layers": 2}
    bundle = untrained({**sizes, "decoder_layers": 2, **setup(cell, context)})
    assert isinstance(bundle.engine, TorchEngine)
    lines = [" ".join("0123456789"[: 1 + i % 9] * (1 + i % 4)) for i in range(11)]
    results = []
    for threads, batch_tokens in ((1, 10**6), (1, 1), (2, 10**6), (2, 90)):
        fast = bundle._replace(engine=exported(bundle.engine.models[0], int8, threads))
        searches = [
            streamed(LineTranslator(fast, SearchConfig(beam=k, max_ratio=0, max_extra=4), batch_tokens), lines)
            for k in (1, 3)
        ]
        results.append((*searches, LineTranslator(fast, SearchConfig(), batch_tokens).log_probs(lines, lines[::-1])))
    assert all(result == results[0] for result in results)
    if not int8:  # an untrained model's numbers are too large for eight bits
        assert results[0][2] == pytest.approx(
            LineTranslator(bundle, SearchConfig()).log_probs(lines, lines[::-1]), rel=1e-4
        )


@pytest.mark.parametrize("int8", [False, True])
def test_neither_batches_nor_threads_nor_the_cache_change_a_bit_with_a_memory(
    int8: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"embedding": 40, "encoder_hidden": [48, 16], "hidden": 64, "attention": 24, "decoder_layers": 2}
    bundle, results = untrained({**sizes, "cell": "lstm"}), []
    assert isinstance(bundle.engine, TorchEngine)
    pairs, lines = reversals(300, seed=3), [pair.src for pair in reversals(11, seed=5)]
    sides = [t.encode_all(text) for t, text in zip(bundle[1:3], zip(*pairs, strict=True), strict=True)]
    config = SearchConfig(beam=3, max_ratio=0.3, max_extra=2)
    for threads, batch_tokens, cached in ((1, 10**6, 10**6), (1, 1, 0), (2, 90, 500)):
        monkeypatch.setattr(datastore, "CACHED_ENTRIES", cached)
        fast = bundle._replace(engine=exported(bundle.engine.models[0], int8, threads)).with_memory(*sides, 0.4)
        found = streamed(LineTranslator(fast, config, batch_tokens), lines)
        results.append((found, LineTranslator(fast, config, batch_tokens).log_probs(lines, lines[::-1])))
    assert all(result == results[0] for result in results)
    assert results[0][0] != streamed(LineTranslator(bundle, config), lines)


def streamed(translator: LineTranslator, lines: Iterable[str]) -> list[list[Translation]]:
    return list(translator.stream(lines, silent))


@pytest.fixture(scope="module")
def folders(learnt: Learnt, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The model that reverses digits, exported in every form."""
    forms = "onnx", "int8", "quarter", "half", "single"
    folders = {form: tmp_path_factory.mktemp("exported") / form for form in forms}
    for form, folder in folders.items():
        export(learnt.folder, folder, form)
    return folders


def bundle_of(folder: Path) -> Bundle:
    return runtime.load(folder, 1) if layout.is_exported(folder) else checkpoint.load_model(folder)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize(
    ("form", "tolerance"), [("onnx", 1e-4), ("int8", 0.3), ("quarter", 0.3), ("half", 1e-2), ("single", 0)]
)
def test_every_form_translates_as_the_model_does(
    learnt: Learnt, folders: dict[str, Path], form: str, tolerance: float, beam: int
) -> None:
    lines = [pair.src for pair in reversals(60, seed=7)]
    expected, actual = (
        streamed(LineTranslator(bundle_of(folder), SearchConfig(beam=beam)), lines)
        for folder in (learnt.folder, folders[form])
    )
    for one, other in zip(expected, actual, strict=True):
        assert other[0].text == one[0].text
        assert other[0].log_prob == pytest.approx(one[0].log_prob, abs=tolerance)
    bundle = bundle_of(folders[form])
    assert (bundle.src, bundle.tgt, bundle.search) == ("digits", "stigid", checkpoint.load_model(learnt.folder).search)


@pytest.mark.parametrize("form", ["onnx", "int8", "quarter", "half", "single"])
def test_every_form_has_the_known_words(learnt: Learnt, tmp_path: Path, form: str) -> None:
    known = KnownWords({"digits": "one"}, {("digits", "stigid"): (True, True)})
    shutil.copytree(learnt.folder, tmp_path / "model")
    files.publish(tmp_path / "model", layout.WORDS, known.to_json())
    export(tmp_path / "model", tmp_path / "exported", form)
    assert bundle_of(tmp_path / "exported").src_tokenizer.known_words == known


@pytest.mark.parametrize(("form", "beam"), [("onnx", 1), ("onnx", 4), ("int8", 4)])
def test_terms_come_in_every_form(learnt: Learnt, folders: dict[str, Path], form: str, beam: int) -> None:
    lines = [pair.src for pair in reversals(40, seed=7)]
    terms = Terms((Term("3", "7 7"), Term("1 2", "x9")), ("8 5", "6"))
    model, other = (bundle_of(folder)._replace(terms=terms) for folder in (learnt.folder, folders[form]))
    expected = streamed(LineTranslator(model, SearchConfig(beam=beam)), lines)
    for batch_tokens in (1, 60, 10**6):
        actual = streamed(LineTranslator(other, SearchConfig(beam=beam), batch_tokens), lines)
        if form == "onnx":
            assert [[c.text for c in line] for line in actual] == [[c.text for c in line] for line in expected]
        for line, candidates in zip(lines, actual, strict=True):
            for candidate in candidates:
                assert count_in(candidate.text, "7 7") >= line.count("3")
                assert count_in(candidate.text, "x9") >= line.count("1 2")
                assert not count_in(candidate.text, "6")
                assert not count_in(candidate.text, "8 5")


@pytest.mark.parametrize("form", ["onnx", "int8"])
def test_with_a_large_share_a_line_of_the_memory_is_translated_as_there(folders: dict[str, Path], form: str) -> None:
    """The model reverses digits, and the memory has the translation 7 for each line."""
    lines, bundle = [pair.src for pair in reversals(20, seed=7)], bundle_of(folders[form])
    sides = bundle.src_tokenizer.encode_all(lines), bundle.tgt_tokenizer.encode_all(["7"] * len(lines))
    for share, expected in ((0.98, 20), (0.01, 0)):
        translator = LineTranslator(bundle.with_memory(*sides, share), SearchConfig(beam=1))
        assert translator.translate(lines).count("7") == expected


def test_graphs_of_an_earlier_version_translate_but_have_no_memory(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["onnx"], tmp_path / "old")
    graph = onnx.load(folder / layout.DECODER)
    for values, left_out in ((graph.graph.output, runtime.OF_MEMORY), (graph.graph.input, (names.OTHERS,))):
        kept = [x for x in values if x.name not in left_out]
        del values[:]
        values.extend(kept)
    nodes = [node for node in graph.graph.node if names.OTHERS not in node.input]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    files.publish(folder, layout.DECODER, graph.SerializeToString())
    bundle = bundle_of(folder)
    assert LineTranslator(bundle, SearchConfig()).translate(["3 1 4"]) == ["4 1 3"]
    with pytest.raises(InputError, match=r"earlier version.*export it again"):
        bundle.check_memory()


@pytest.mark.parametrize("form", ["onnx", "int8"])
def test_every_line_gives_a_line(folders: dict[str, Path], form: str) -> None:
    translations = LineTranslator(bundle_of(folders[form]), SearchConfig(beam=2)).translate(AWKWARD)
    assert len(translations) == len(AWKWARD)
    assert [bool(text) for text in translations[:4]] == [False] * 4


def test_the_scorers_score_of_a_translation_is_the_searchs(folders: dict[str, Path]) -> None:
    src = [pair.src for pair in reversals(30, seed=7)]
    for form in ("onnx", "int8"):
        translator = LineTranslator(bundle_of(folders[form]), SearchConfig(beam=3))
        best = [candidates[0] for candidates in streamed(translator, src)]
        assert translator.log_probs(src, [c.text for c in best]) == pytest.approx([c.log_prob for c in best], abs=1e-4)


def test_other_forms_are_smaller(learnt: Learnt, folders: dict[str, Path]) -> None:
    def size(folder: Path) -> int:
        return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".onnx", ".safetensors"))

    assert size(folders["int8"]) < 0.5 * size(folders["onnx"])
    assert size(folders["half"]) < 0.6 * size(learnt.folder)
    assert size(folders["quarter"]) < 0.6 * size(folders["half"])


def test_an_exported_model_needs_no_torch(folders: dict[str, Path], tmp_path: Path) -> None:
    """The command that translates with it imports neither torch nor other packages that are slow to import."""
    (tmp_path / "in").write_text("3 1 4\n")
    program = (
        "import sys; from seq2seq.commands.translate import main; "
        "status = main(sys.argv[1:]); "
        "print(status, {'torch', 'datasets', 'pandas', 'sacrebleu', 'onnx'} & sys.modules.keys())"
    )
    for lang, line in (("digits", "3 1 4\n"), ("stigid", "4 1 3\n")):
        (tmp_path / f"train.{lang}").write_text(line)
    for memory in [], ["--memory", str(tmp_path)]:
        arguments = ["--model", str(folders["onnx"]), "--input", str(tmp_path / "in"), *memory]
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["4 1 3", "0 set()"]


# ---- damaged folders -------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(learnt: Learnt, tmp_path: Path) -> Path:
    export(learnt.folder, tmp_path / "exported", "int8")
    return tmp_path / "exported"


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx"])
def test_the_error_names_a_graph_that_is_missing_or_damaged(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for content in (whole[:1000], b"", b"\x00" * 50, whole[:5000] + bytes(100) + whole[5100:]):
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} is damaged"):
            runtime.load(folder, 1)
    (folder / "manifest.json").unlink()  # without checksums too
    for content in (whole[:1000], b"\x00" * 50):
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} is damaged"):
            runtime.load(folder, 1)
    if name == "encoder.onnx":
        (folder / name).unlink()
        with pytest.raises(InputError, match=f"{name} is missing"):
            runtime.load(folder, 1)


def test_another_tokenizer_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    other = untrained({"hidden": 16}).src_tokenizer
    assert isinstance(other, Tokenizer)
    (folder / "tokenizer.model").write_bytes(other.model_bytes)
    with pytest.raises(InputError, match="the tokenizer is not the one"):
        runtime.load(folder, 1)


def test_an_exported_model_is_not_exported_again(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="export the one it was made from"):
        export(folder, tmp_path / "again", "onnx")
    assert not (tmp_path / "again").exists()


def test_an_export_replaces_the_model_of_another_form(learnt: Learnt, folder: Path) -> None:
    export(learnt.folder, folder, "half")
    assert not layout.is_exported(folder)
    assert torch.float32 == next(iter(checkpoint.weights_of(bundle_of(folder).engine.models[0]).values())).dtype  # type: ignore[attr-defined]
    export(learnt.folder, folder, "onnx")
    assert layout.is_exported(folder)
    assert not (folder / layout.WEIGHTS).exists()


def test_an_unknown_training_setting_is_kept(learnt: Learnt, tmp_path: Path) -> None:
    """Another version may have had it; only the settings of the model must be known."""
    old = tmp_path / "old"
    shutil.copytree(learnt.folder, old)
    settings = (old / layout.CONFIG).read_text(encoding="utf-8").replace("[training]\n", "[training]\nforgotten = 7\n")
    files.publish(old, layout.CONFIG, settings.encode())
    for form in ("half", "onnx"):
        export(old, tmp_path / form, form)
        assert layout.read_settings(tmp_path / form) == layout.read_settings(old)
        assert layout.read_settings(old)["training"]["forgotten"] == 7
    assert checkpoint.load_model(tmp_path / "half").search == runtime.load(tmp_path / "onnx", 1).search
