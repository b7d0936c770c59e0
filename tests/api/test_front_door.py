"""`import seq2seq`: what a Python program meets. It is quick, it changes nothing else, and wrong use is explained."""

import itertools
import logging
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from reversal_task import Learnt, to_the_bit

import seq2seq
from seq2seq.errors import InputError
from seq2seq.folder import checkpoint
from seq2seq.onnx.export import export
from seq2seq.translation.translator import LineTranslator

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = ["3 1 4", "", "2 7", "1 8 2 8", "9 0", "  5 5 1 "]


def python(program: str, *arguments: object) -> str:
    """What a program prints, run by a fresh interpreter where every warning is an error."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *map(str, arguments)]
    own = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=own, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def model(learnt: Learnt) -> seq2seq.Translator:
    return seq2seq.load(learnt.folder)


@pytest.fixture(scope="module")
def exported(learnt: Learnt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export(learnt.folder, folder, "onnx")
    return folder


# ---- import ----------------------------------------------------------------------------------------------------------


def test_importing_the_package_imports_nothing_else() -> None:
    program = """
        import sys
        before = set(sys.modules)
        import seq2seq
        print(*sorted({name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
        print(*(name for name in sys.modules if name.startswith("seq2seq.")))
    """
    assert python(program).split() == ["seq2seq"]


def test_the_names_at_the_door_are_all_there() -> None:
    assert set(seq2seq.__all__) == {"load", "train", "evaluate", "Translator", "Translation"}
    assert set(seq2seq.__all__) <= set(dir(seq2seq))
    assert all(callable(getattr(seq2seq, name)) for name in seq2seq.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Transaltor'"):
        seq2seq.Transaltor  # noqa: B018


def test_a_users_program_type_checks_against_the_package(tmp_path: Path) -> None:
    """`py.typed` holds: each call has the type that the documentation says, and a wrong call is an error."""
    good = """
        from typing import assert_type

        import seq2seq
        from seq2seq.text.scoring import Score

        model = seq2seq.load("DIR", device="cpu", threads=1)
        assert_type(model, seq2seq.Translator)
        assert_type(model.translate("A cat.", to="de", from_="en", beam=1), str)
        assert_type(model.translate(["A cat."], search={"length_penalty": 1.2}), list[str])
        assert_type(model.translate("A cat.", nbest=3), list[seq2seq.Translation])
        assert_type(model.translate(["A cat."], nbest=3), list[list[seq2seq.Translation]])
        assert_type(model.score("A cat.", "Eine Katze."), float)
        assert_type(model.score(["A cat."], ["Eine Katze."]), list[float])
        run = seq2seq.train(data="DIR", src="en", tgt="de", out="DIR2", set={"training.updates": 1000})
        assert_type(run.model, seq2seq.Translator)
        assert_type(seq2seq.evaluate(run.model, data="DIR", split="test"), list[Score])
    """
    bad = """
        import seq2seq

        model = seq2seq.load(5)
        model.translate("A cat.", two="de")
        seq2seq.train(updates=3)
    """
    for name, program in (("good", good), ("bad", bad)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(program))
    # Without the packages below it, which the front door does not show: they take a minute to analyse.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nfollow_imports = silent\n"
        "[mypy-torch.*,datasets.*,numpy.*,sacrebleu.*,sentencepiece.*,tqdm.*,babel.*,seq2seq.corpora.*,seq2seq.folder.*,"
        "seq2seq.network.*,seq2seq.onnx.*,seq2seq.reporting.*,seq2seq.training.*]\nfollow_imports = skip\n"
        "ignore_missing_imports = true\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "good.py", "bad.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    wrong = re.findall(r"^(\w+)\.py:(\d+): error: ", checked.stdout, re.MULTILINE)
    assert sorted(set(wrong)) == [("bad", "4"), ("bad", "5"), ("bad", "6")], checked.stdout + checked.stderr


# ---- translating -----------------------------------------------------------------------------------------------------


def test_a_text_gives_a_text_and_a_list_a_list(model: seq2seq.Translator, learnt: Learnt) -> None:
    bundle = checkpoint.load_model(learnt.folder)
    expected = LineTranslator(bundle, bundle.search).translate(LINES)
    assert model.translate(LINES) == expected
    assert model.translate(tuple(LINES)) == model.translate(iter(LINES)) == expected
    assert [model.translate(line) for line in LINES] == expected
    assert model.translate([]) == []
    assert model.translate("") == ""


def test_a_text_is_translated_line_by_line(model: seq2seq.Translator) -> None:
    assert model.translate("\n".join(LINES)) == "\n".join(model.translate(LINES))
    assert model.translate(["3 1\n", "2 7"]) == [model.translate("3 1") + "\n", model.translate("2 7")]


def test_the_n_best_with_their_alignment(model: seq2seq.Translator) -> None:
    [best, *others] = model.translate("3 1 4", nbest=4)
    assert isinstance(best, seq2seq.Translation)
    assert best.text == model.translate("3 1 4") == "4 1 3"
    assert len(others) <= 3
    assert all(best.score >= other.score for other in others)
    assert model.score("3 1 4", best.text) == pytest.approx(best.log_prob, rel=1e-4)
    assert {target for _, target in best.alignment} == {0, 1, 2}
    assert [len(each) for each in model.translate(LINES, nbest=1)] == [1] * len(LINES)
    assert model.translate("", nbest=2) == [("", 0.0, 0.0, [])]


def test_words_of_later_lines_are_numbered_on(model: seq2seq.Translator) -> None:
    first, second = model.translate("3 1 4", nbest=1)[0], model.translate("2 7", nbest=1)[0]
    both = model.translate("3 1 4\n2 7", nbest=1)[0]
    assert both.text == f"{first.text}\n{second.text}"
    assert both.log_prob == pytest.approx(first.log_prob + second.log_prob)
    words = len(first.text.split())
    assert both.alignment == first.alignment + [[src + 3, tgt + words] for src, tgt in second.alignment]


def test_search_settings_are_the_models_own_until_others_are_named(model: seq2seq.Translator) -> None:
    assert model.translate("3 1 4", search={"max_length": 2}) != model.translate("3 1 4")
    assert model.translate(LINES, beam=1) == model.translate(LINES, search={"beam": 1})
    with pytest.raises(InputError, match=r"unknown setting 'search\.lenght_penalty'; did you mean 'length_penalty'"):
        model.translate("3", search={"lenght_penalty": 1.0})
    with pytest.raises(InputError, match=r"unknown setting 'search\.5'; there are: beam"):
        model.translate("3", search={5: 1})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="min_length 4 is above max_length 3"):
        model.translate("3", search={"min_length": 4, "max_length": 3})
    assert model.translate("3 1 4", search={"min_length": 3, "max_length": 3})
    with pytest.raises(InputError, match="nbest 3 needs a beam at least as wide, not 2"):
        model.translate("3", beam=2, nbest=3)
    with pytest.raises(InputError, match="nbest = 0"):
        model.translate("3", nbest=0)
    with pytest.raises(InputError, match="given as beam and in search; leave one of them out"):
        model.translate("3", beam=2, search={"beam": 3})


@pytest.mark.parametrize("name", ["to", "from_", "memory", "weights", "mbr"])
def test_an_empty_option_is_refused(model: seq2seq.Translator, name: str) -> None:
    """An unset variable of a program must not mean the default."""
    with pytest.raises(InputError, match=f"{name} is empty; give .*, or None"):
        model.translate("3", **{name: ""})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "option",
    [
        {"nbest": "3"},
        {"nbest": True},
        {"keep": 5},
        {"keep": [5]},
        {"split": "no"},
        {"to": 5},
        {"mbr": True},
        {"memory": 5},
        {"from_": ["digits"]},
        {"memory_share": "x"},
        {"search": 5},
        {"weights": 5},
    ],
    ids=str,
)
def test_an_option_of_another_type_is_a_type_error(model: seq2seq.Translator, option: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(option))):
        model.translate("3", **option)


@pytest.mark.parametrize(
    ("options", "failure", "words"),
    [
        ({"split": 5}, TypeError, "split takes the name of a part"),
        ({"src": 5}, TypeError, "src takes a language"),
        ({"data": 5}, TypeError, "a text is given as a path"),
        ({"data": [5]}, TypeError, "a text is given as a path"),
        ({"data": []}, InputError, "the list of texts, or a path in it, is empty"),
        ({"data": ""}, InputError, "the list of texts, or a path in it, is empty"),
        ({"memory": 5}, TypeError, "a text is given as a path"),
        ({"metrics": "blue"}, InputError, "unknown metric 'blue'; did you mean 'bleu'"),
        ({"metrics": [5]}, InputError, "unknown metric 5; there are: bleu"),
        ({"tokenize": 5}, InputError, "unknown tokenizer 5; there are"),
        ({"mbr": 5}, InputError, "unknown utility 5; there are"),
        ({"confidence": "no"}, TypeError, "confidence takes True or False, not 'no'"),
        ({"split": ""}, InputError, "split is empty; give the name of a part as a str, or None"),
    ],
    ids=str,
)
def test_a_wrong_option_of_evaluate_is_named(
    model: seq2seq.Translator, tmp_path: Path, options: dict[str, Any], failure: type[Exception], words: str
) -> None:
    for language in ("digits", "stigid"):
        (tmp_path / f"test.{language}").write_text("3 1 4\n")
    with pytest.raises(failure, match=words):
        seq2seq.evaluate(model, **{"data": tmp_path, **options})


def test_threads_are_a_number_from_1_on(learnt: Learnt) -> None:
    for wrong in ("2", 1.5, True):
        with pytest.raises(TypeError, match="threads takes an int"):
            seq2seq.load(learnt.folder, threads=wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="threads = 0"):
        seq2seq.load(threads=0)


@pytest.mark.parametrize("text", [5, None, b"3 1", {"3": 1}, 1.5])
def test_what_is_no_text_is_a_type_error(model: seq2seq.Translator, text: Any) -> None:
    with pytest.raises(TypeError, match=rf"translate\(\) takes a str or a list of str, not {type(text).__name__}"):
        model.translate(text)
    with pytest.raises(TypeError, match="item 1 is"):
        model.translate(["3 1", text])
    with pytest.raises(TypeError, match=r"score\(\) takes"):
        model.score(["3 1"], text)


def test_half_a_surrogate_pair_is_an_input_error(model: seq2seq.Translator) -> None:
    with pytest.raises(InputError, match=r"text 1 cannot be encoded as UTF-8: '.ud800' at position 2"):
        model.translate(["3 1", "5 \ud800"])
    with pytest.raises(InputError, match="UTF-8"):
        model.score("3", "\udfff")


def test_scores_go_with_pairs(model: seq2seq.Translator) -> None:
    one, two = model.score(["3 1", "3 1"], ["1 3", "3 3 3 3"])
    assert two < one < 0.0
    assert model.score("3 1", "1 3") == one
    assert model.score([], []) == []
    with pytest.raises(InputError, match="2 source texts, but 1 translations"):
        model.score(["3", "1"], ["3"])
    with pytest.raises(TypeError, match="two str, or two lists"):
        model.score("3", ["3"])  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="to takes a language as a str, not 5"):
        model.score("3 1", "1 3", to=5)  # type: ignore[call-overload]


# ---- directions ------------------------------------------------------------------------------------------------------


def test_a_direction_must_be_one_that_the_model_knows(model: seq2seq.Translator) -> None:
    assert model.directions == [("digits", "stigid")]
    assert model.translate("3 1", from_="digits", to="stigid") == model.translate("3 1")
    for wrong in ({"to": "digits"}, {"from_": "fr"}, {"from_": "stigid", "to": "digits"}):
        with pytest.raises(InputError, match="there is digits to stigid"):
            model.translate("3 1", **wrong)


def test_the_models_that_ship() -> None:
    ships = seq2seq.load()
    assert set(ships.directions) == set(itertools.permutations(("de", "en", "es", "fr", "ja", "nl"), 2))
    german = ships.translate("Where is the station?")
    assert german == ships.translate("Where is the station?", to="de") == "Wo ist der Bahnhof?"
    assert ships.translate("Wo ist der Bahnhof?", to="en") == ships.translate("Wo ist der Bahnhof?", from_="de")
    with pytest.raises(InputError, match="from en to it; there is"):
        ships.translate("Hello.", to="it")


@pytest.mark.parametrize("path", [5, [], [5], b"x"])
def test_what_is_no_path_is_a_type_error(path: Any) -> None:
    with pytest.raises(TypeError, match="the path of a model folder"):
        seq2seq.load(path)


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.toml is missing"):
        seq2seq.load(tmp_path)
    with pytest.raises(InputError, match="unknown device 'tpu'"):
        seq2seq.load(device="tpu").translate("Hello.")


def test_several_folders_are_an_ensemble(learnt: Learnt, model: seq2seq.Translator) -> None:
    both = seq2seq.load([learnt.folder, str(learnt.folder)])
    assert both.translate(LINES) == model.translate(LINES)


def test_a_translation_memory(learnt: Learnt, model: seq2seq.Translator, tmp_path: Path) -> None:
    pairs = [("3 1 4", "9 9 9"), ("2 7", "8 8")]
    for side, language in enumerate(("digits", "stigid")):
        (tmp_path / f"train.{language}").write_text("".join(f"{pair[side]}\n" for pair in pairs))
    assert model.translate("3 1 4", memory=str(tmp_path), memory_share=0.99) == "9 9 9"
    assert model.translate("3 1 4") == "4 1 3"
    for share in (0.5, 0):
        with pytest.raises(InputError, match="goes with --memory"):
            model.translate("3", memory_share=share)
    for share in (0, 2):
        with pytest.raises(InputError, match=f"the share of the memory is {share}; give a number between 0 and 1"):
            model.translate("3", memory=str(tmp_path), memory_share=share)


# ---- the program around it -------------------------------------------------------------------------------------------


def test_an_exported_model_needs_no_torch(exported: Path, model: seq2seq.Translator) -> None:
    program = """
        import sys

        class Missing:
            def find_spec(name, *rest):
                if name.partition(".")[0] in ("torch", "datasets", "safetensors", "pyarrow", "sacrebleu"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing)
        import seq2seq
        model = seq2seq.load(sys.argv[1])
        print(model.translate("3 1 4"))
        print([t.text for t in model.translate("3 1 4", nbest=2)])
        print(round(model.score("3 1 4", "4 1 3"), 3))
    """
    text, nbest, score = python(program, exported).splitlines()
    assert text == model.translate("3 1 4")
    assert nbest == str([t.text for t in model.translate("3 1 4", nbest=2)])
    assert float(score) == pytest.approx(model.score("3 1 4", "4 1 3"), abs=2e-3)


def test_a_trained_model_without_torch_says_what_is_missing(learnt: Learnt) -> None:
    program = """
        import sys
        sys.modules["torch"] = None
        import seq2seq
        from seq2seq.errors import InputError
        try:
            seq2seq.load(sys.argv[1])
        except InputError as e:
            print(e)
    """
    assert "needs the package torch" in python(program, learnt.folder)


@to_the_bit
@pytest.mark.parametrize("kind", ["trained", "exported"])
def test_several_threads_get_what_one_gets(learnt: Learnt, exported: Path, kind: str) -> None:
    model = seq2seq.load(learnt.folder if kind == "trained" else exported, threads=1)
    lines = [pair.src for pair in learnt.unseen[:60]]
    expected = [model.translate(line) for line in lines]
    start = threading.Barrier(6)

    def work(thread: int) -> list[str]:
        start.wait()
        return [model.translate(line) for line in lines[thread:] + lines[:thread]]

    with ThreadPoolExecutor(6) as pool:
        for thread, found in enumerate(pool.map(work, range(6))):
            assert found == expected[thread:] + expected[:thread]


def translate_elsewhere(model: seq2seq.Translator) -> list[str]:
    """In a process of its own."""
    return model.translate(LINES)


@pytest.mark.parametrize("kind", ["trained", "exported"])
def test_a_model_can_be_sent_to_another_process(learnt: Learnt, exported: Path, kind: str) -> None:
    model = seq2seq.load(learnt.folder if kind == "trained" else exported)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(translate_elsewhere, (model,)) == model.translate(LINES)
    again = pickle.loads(pickle.dumps(model))
    assert again.directions == model.directions
    assert again.translate(LINES) == model.translate(LINES)


def test_translating_leaves_the_program_as_it_was(learnt: Learnt) -> None:
    before = torch.get_num_threads(), torch.get_rng_state(), dict(os.environ), logging.root.level
    seq2seq.load(learnt.folder, threads=3).translate(LINES)
    threads, random, environment, level = before
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), random)
    assert dict(os.environ) == environment
    assert logging.root.level == level


def test_the_first_model_of_a_program_leaves_its_environment_as_it_was(learnt: Learnt) -> None:
    program = """
        import os, sys
        os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)  # set by torch's compiler, perhaps in the parent process
        before = dict(os.environ)
        import seq2seq
        seq2seq.load(sys.argv[1]).translate("3 1 4")
        print(*sorted(set(os.environ.items()) ^ set(before.items())))
    """
    assert python(program, learnt.folder) == "\n"


def test_line_ends_stay_as_they_are(model: seq2seq.Translator) -> None:
    assert model.translate("3 1\r\n2 7\n\r\n") == "1 3\r\n7 2\n\r\n"
