"""The commands with a model of many languages: train, translate, evaluate, report, export, serve; and from Python."""

import json
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from languages_task import DIRECTIONS, NAMES, TINY, Learnt, rows, write_table, write_text
from shell import QUICK, call, card, refused, worked

import seq2seq
from seq2seq.commands.report import corpora_of
from seq2seq.errors import InputError
from seq2seq.folder import layout
from seq2seq.languages.identification import Likely
from seq2seq.text.corpus import DataConfig

KNOWN = "there is en to de, de to en, en to fr, de to fr"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_text(tmp_path / "data", 60, dev=10, test=10)


def train(recipe: Path, data: Path, *options: object) -> Any:
    return call("train", "--recipe", recipe, "--data", data, *QUICK, *options)


# ---- train -----------------------------------------------------------------------------------------------------------


def test_training_and_resuming(tiny: Path, data: Path) -> None:
    languages = "--langs", "en,de,fr"
    whole = worked(train(tiny, data, *languages, "--out", "whole"))
    assert "en-de train" in whole.err
    assert "translate --model whole --from en --to de" in whole.out
    assert "test fr-de  BLEU = " in whole.out
    section = layout.read_settings(Path("whole"))["data"]
    assert (section["languages"], section["src"], section["tgt"]) == (["en", "de", "fr"], "", "")
    assert section["directions"] == ["en-de", "en-fr", "de-en", "de-fr", "fr-en", "fr-de"]
    metrics = json.loads(Path("whole/metrics.jsonl").read_text().splitlines()[-1])
    assert set(metrics["directions"]) == {*section["directions"]}
    worked(train(tiny, data, *languages, "--out", "parts", "--set", "training.updates=1"))
    worked(call("train", "--resume", "parts", "--set", "training.updates=2", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()


def test_only_some_directions(tiny: Path, data: Path) -> None:
    worked(train(tiny, data, "--langs", "en,de,fr", "--directions", "fr-en,en-de", "--out", "some"))
    assert layout.read_settings(Path("some"))["data"]["directions"] == ["fr-en", "en-de"]
    assert seq2seq.load("some").directions == [("fr", "en"), ("en", "de")]
    assert "# Between en, de, fr" in card(Path("some"))
    assert "- Directions: fr to en, en to de\n" in card(Path("some"))
    assert "| direction | source | translation | reference |" in card(Path("some"))
    assert "| test fr-en | BLEU |" in card(Path("some"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--langs", "en"], ["en is named alone"]),
        (["--langs", "en,de,en"], ["en is named twice"]),
        (["--langs", "en,de,EN"], ["en, as EN, is named twice"]),
        (["--langs", "en,de,deu"], ["de, as deu, is named twice"]),
        (["--src", "en", "--tgt", "EN"], ["'en' and 'EN', which is one language"]),
        (["--langs", "en,de", "--src", "en"], ["--langs", "--src"]),
        (["--directions", "en-de"], ["--directions", "give --langs"]),
        (["--langs", "en,de", "--directions", "en-fr"], ["'en-fr'", "en-de, de-en"]),
        (["--langs", "en,it"], ["no text of en to it", "--langs"]),
    ],
)
def test_wrong_languages_are_refused(tiny: Path, data: Path, options: list[str], words: list[str]) -> None:
    refused(train(tiny, data, *options, "--out", "new"), *words)
    assert not Path("new").exists()


def test_a_language_without_text_is_named(tiny: Path, data: Path) -> None:
    result = worked(train(tiny, data, "--langs", "en,xx,de", "--out", "run"))
    assert "there is no text of xx, so it is left out" in result.err
    assert layout.read_settings(Path("run"))["data"]["directions"] == ["en-de", "de-en"]


def test_finetuning_takes_the_languages_of_the_model(tiny: Path, data: Path) -> None:
    worked(train(tiny, data, "--langs", "en,de,fr", "--out", "many"))
    finetune = ["train", "--data", data, *QUICK, "--finetune"]
    again = worked(call(*finetune, "many", "--out", "again"))
    assert layout.read_settings(Path("again"))["data"]["languages"] == ["en", "de", "fr"]
    one = worked(call(*finetune, "many", "--src", "DE", "--tgt", "en", "--out", "one"))
    assert "translates" not in again.err + one.err, "both are languages of the model"
    worked(call(*finetune, "one", "--src", "en", "--tgt", "de", "--out", "back"))
    worked(call(*finetune, "one", "--src", "deu", "--tgt", "fr-FR", "--out", "named"))
    named = layout.read_settings(Path("named"))["data"]
    assert (named["src"], named["tgt"]) == ("de", "fr"), "as the model names its tokens"
    worked(call(*finetune, "many", "--langs", "EN,de-DE", "--directions", "EN-de-DE", "--out", "langs"))
    named = layout.read_settings(Path("langs"))["data"]
    assert (named["languages"], named["directions"]) == (["en", "de"], ["en-de"])
    worked(train(tiny, data, "--src", "en", "--tgt", "de", "--out", "single"))
    other = worked(call(*finetune, "single", "--src", "de", "--tgt", "en", "--out", "other"))
    assert "note: " in other.err and "single translates en to de, and the new text is de to en" in other.err
    result = call(*finetune, "single", "--langs", "en,de", "--out", "new", "--quiet")
    refused(result, "only for none; its model has one direction", "--src and --tgt in place of --langs")
    assert not Path("new").exists()


def test_a_run_keeps_its_languages(tiny: Path, data: Path) -> None:
    worked(train(tiny, data, "--langs", "en,de", "--out", "run"))
    refused(call("train", "--resume", "run", "--langs", "en,fr"), "--resume")


@pytest.mark.parametrize("joint", ["true", "false"])
def test_teachers_of_some_directions(tiny: Path, data: Path, joint: str) -> None:
    """A teacher of one direction and one of many; resuming needs neither."""
    worked(train(tiny, data, "--langs", "en,de,fr", "--out", "many"))
    more = "--mono", "more.fr"
    lines = [f"0 0 0 0 0 {digit}" for digit in range(6)]  # an untrained teacher leaves some without a translation
    Path("more.fr").write_text("".join(f"{line}\n" for line in lines))
    options = "--langs", "en,de,fr", "--teacher", "many", *more, "--set", f"tokenizer.joint={joint}"
    worked(train(tiny, data, *options, "--out", "whole", "--set", "training.updates=3"))
    pairs = [json.loads(line) for line in Path("whole/taught.jsonl").read_text().splitlines()]
    assert {pair["direction"] for pair in pairs} == {"en-de", "de-en", "en-fr", "fr-en", "de-fr", "fr-de"}
    by_direction = {
        name: {(pair["src"], pair["tgt"]) for pair in pairs if pair["direction"] == name} for name in ("en-fr", "fr-en")
    }
    assert by_direction["en-fr"] == {(tgt, src) for src, tgt in by_direction["fr-en"]}
    assert any(src in lines for src, _ in by_direction["fr-en"])
    worked(train(tiny, data, *options, "--out", "parts", "--set", "training.updates=1"))
    Path("more.fr").unlink()
    worked(call("train", "--resume", "parts", "--set", "training.updates=3", "--device", "cpu", "--threads", "1"))
    assert Path("parts/model.safetensors").read_bytes() == Path("whole/model.safetensors").read_bytes()
    worked(train(tiny, data, "--src", "en", "--tgt", "de", "--out", "student", "--teacher", "many"))
    refused(train(tiny, data, "--langs", "en,it", "--teacher", "student", "--out", "new"), "student", "en to de")


# ---- translate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "translation"),
    [
        ([], "2 1 3"),
        (["--to", "de"], "2 1 3"),
        (["--to", "fr"], "1 2 3"),
        (["--to", "en"], "2 1 3"),
        (["--from", "de", "--to", "fr"], "1 2 3"),
        (["--from", "de"], "2 1 3"),
        (["--from", "DE", "--to", "fra"], "1 2 3"),
        (["--to", "fr-CA"], "1 2 3"),
    ],
)
def test_the_direction_is_named_or_the_default(polyglot: Learnt, options: list[str], translation: str) -> None:
    arguments = ["translate", "--model", polyglot.folder, "--quiet", *options]
    assert worked(call(*arguments, stdin="3 1 2\n")).out == f"{translation}\n"


@pytest.mark.parametrize("options", [["--to", "it"], ["--from", "fr"], ["--from", "fr", "--to", "de"]])
def test_an_unknown_direction_is_refused(polyglot: Learnt, options: list[str]) -> None:
    refused(call("translate", "--model", polyglot.folder, *options, stdin="1\n"), "no translation from", KNOWN)
    refused(call("translate", "--model", polyglot.folder, *options, "--score", "x", stdin="1\n"), KNOWN)


def test_the_language_of_a_file_is_detected_once(polyglot: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def rank(text: str, languages: Sequence[str]) -> list[Likely]:
        seen.append(text)
        return [Likely("de" if text.startswith("3") else "en", 1.0)]

    monkeypatch.setattr("seq2seq.text.detection.rank", rank)
    automatic = "translate", "--model", polyglot.folder, "--quiet", "--from", "auto", "--to", "fr"
    assert worked(call(*automatic, stdin="3 1 2\n5 4\n")).out == "1 2 3\n4 5\n"
    assert seen == ["3 1 2\n5 4"]
    Path("page.md").write_text("3 1 2\n\n5 4\n")
    worked(call(*automatic[:5], " AUTO", *automatic[6:], "--input", "page.md", "--output", "page.fr.md"))
    assert seen[1:] == ["3 1 2\n5 4\n"]
    refused(call(*automatic, "--format", "markdown", stdin="3 1 2\n"), "--from auto", "--input")
    for arguments, name in ((automatic, "standard input"), ((*automatic, "--input", "page.md"), "page.md")):
        with monkeypatch.context() as patch:
            patch.setattr("seq2seq.text.detection.rank", lambda text, languages: [Likely("fr", 1.0)])
            refused(call(*arguments, stdin="3 1 2\n"), f"{name} is in fr already", "--to", "--from")
    refused(call(*automatic[:-1], "it", stdin="3\n"), "no translation to it", KNOWN)
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    refused(call(*automatic, stdin="3\n"), "py3langid", "pip install")


def test_scoring_a_direction(polyglot: Learnt) -> None:
    Path("src").write_text("3 1 2\n3 1 2\n")
    Path("tgt").write_text("2 1 3\n1 2 3\n")
    arguments = "translate", "--model", polyglot.folder, "--input", "src", "--score", "tgt"
    german, french = (
        [float(line) for line in worked(call(*arguments, "--to", language)).lines] for language in ("de", "fr")
    )
    assert german[0] > german[1]
    assert french[0] < french[1]


def test_a_translation_memory_of_a_direction(polyglot: Learnt) -> None:
    write_table(Path("memory/train.tsv"), [{"en": "3 1 2", "de": "5 5 5", "fr": "4 4 4"}], gaps=False)
    memory = "--memory", "memory", "--memory-share", "0.99"
    for to, expected in (("de", "5 5 5"), ("fr", "4 4 4")):
        result = call("translate", "--model", polyglot.folder, "--to", to, *memory, stdin="3 1 2\n")
        assert worked(result).out == f"{expected}\n"


def test_a_memory_without_the_direction_is_refused(polyglot: Learnt) -> None:
    Path("memory.tsv").write_text("en\tde\n3 1 2\t5 5 5\n")
    result = call("translate", "--model", polyglot.folder, "--to", "fr", "--memory", "memory.tsv", stdin="3 1 2\n")
    refused(result, "memory.tsv has no train pair of en and fr")


# ---- evaluate, report, export ----------------------------------------------------------------------------------------


def test_a_row_for_each_direction(polyglot: Learnt) -> None:
    arguments = "evaluate", "--model", polyglot.folder, "--data", polyglot.data, "--metric", "bleu"
    lines = worked(call(*arguments)).lines
    assert [line.split("  ")[0] for line in lines] == NAMES.split(",")
    values = json.loads(worked(call(*arguments, "--json")).out)["directions"]
    for name, line in zip(NAMES.split(","), lines, strict=True):
        expected = polyglot.run.scores[f"test {name}"][0]
        assert f"BLEU = {expected.value:.2f}  (" in line
        assert values[name]["scores"][0]["value"] == expected.value
        assert values[name]["sentences"] == 40
    [one] = worked(call(*arguments, "--src", "de", "--tgt", "fr")).lines
    assert one == lines[3]
    assert worked(call(*arguments, "--tgt", "fr")).lines == lines[2:]
    refused(call(*arguments, "--tgt", "it"), "no translation from any language to it", KNOWN)
    refused(call(*arguments, "--split", "test7"), "no split 'test7'")


def test_only_directions_that_the_text_holds_are_scored(polyglot: Learnt) -> None:
    for language in ("en", "de"):
        Path(f"test.{language}").write_text("".join(f"{row[language]}\n" for row in rows(5)))
    arguments = "evaluate", "--model", polyglot.folder, "--data", ".", "--metric", "bleu"
    assert [line.split("  ")[0] for line in worked(call(*arguments)).lines] == ["en-de", "de-en"]


def test_the_page_has_each_direction(polyglot: Learnt, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    worked(call("report", "--model", polyglot.folder, "--out", out))
    page = out.read_text()
    assert "Between en, de, fr: model" in page
    assert all(f"<td>test {name}</td>" in page for name in NAMES.split(","))
    assert "&lt;2de&gt;" in page  # on the attention maps


def test_a_report_on_a_text_of_some_of_the_languages(polyglot: Learnt) -> None:
    write_table(Path("some/train.tsv"), [{**row, "fr": ""} for row in rows(20)], gaps=False)
    write_table(Path("some/test.tsv"), [{**row, "fr": ""} for row in rows(24)[20:]], gaps=False)
    worked(call("report", "--model", polyglot.folder, "--data", "some", "--out", "some.html"))
    page = Path("some.html").read_text()
    for way in polyglot.run.model.directions:
        assert (f"<td>test {'-'.join(way)}</td>" in page) == ("fr" not in way)
    two = DataConfig(languages=("en", "de", "fr"), directions=("en-fr",))
    with pytest.raises(InputError, match="some has text of en to de, de to en, but the model translates en to fr"):
        corpora_of(two, ["some"])


@pytest.mark.parametrize("options", [["--format", "quarter"], [], ["--int8"]])
def test_an_exported_model_knows_all_directions(polyglot: Learnt, options: list[str]) -> None:
    worked(call("export", "--model", polyglot.folder, "--out", "out", *options))
    model = seq2seq.load("out")
    assert model.directions == DIRECTIONS
    assert [model.translate("3 1 2", to=to) for to in ("de", "fr")] == ["2 1 3", "1 2 3"]


# ---- serve -----------------------------------------------------------------------------------------------------------


def test_the_server_serves_each_direction(polyglot: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn
    from starlette.testclient import TestClient

    served: list[Any] = []

    def run(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        served.append(self.config.app)
        sockets[0].close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    worked(call("serve", "--model", polyglot.folder, "--port", "0", "--quiet", "--exact"))
    with TestClient(served[0], base_url="http://127.0.0.1") as client:
        languages = {each["code"]: each["targets"] for each in client.get("/languages").json()}
        assert languages == {"en": ["de", "fr"], "de": ["en", "fr"], "fr": []}
        for target, expected in (("de", "2 1 3"), ("fr", "1 2 3")):
            answer = client.post("/translate", json={"q": "3 1 2", "source": "en", "target": target})
            assert answer.json() == {"translatedText": expected}
        assert client.post("/translate", json={"q": "1", "source": "fr", "target": "en"}).status_code == 400
    twice = call("serve", "--model", polyglot.folder, "--model", polyglot.folder, "--port", "0", "--quiet", "--exact")
    refused(twice, "from en to de, as another --model does")


def test_the_server_remembers_the_directions_that_the_memory_has(
    polyglot: Learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = list[Any]()
    monkeypatch.setattr("seq2seq.serving.server.application", lambda translators, _: served.append(translators))
    monkeypatch.setattr("seq2seq.serving.running.serve", lambda make, *_: make())
    Path("memory.tsv").write_text("en\tde\n3 1 2\t5 5 5\n")
    arguments = "serve", "--model", polyglot.folder, "--port", "0", "--memory-share", "0.99", "--memory"
    note = "note: --memory has text of en to de, de to en; the others are served without it"
    assert note in worked(call(*arguments, "memory.tsv")).err
    assert served[0]["en", "de"].translate(["3 1 2"]) == ["5 5 5"]
    assert served[0]["en", "fr"].translate(["3 1 2"]) == ["1 2 3"]
    Path("other.tsv").write_text("en\tit\n3 1 2\t5 5 5\n")
    refused(call(*arguments, "other.tsv"), "other.tsv has no text of en to de, de to en", "check --memory")


# ---- corpus ----------------------------------------------------------------------------------------------------------


def test_the_model_finds_pairs_that_are_no_translations(polyglot: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tenth of these pairs has the same digits in a wrong order."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.cwd() / "cache"))
    sentences = [row for row in rows(1500)[1060:] if row["fr"] not in (row["de"], row["en"])][:300]
    wrong = set(range(1, 301, 10))
    for language in ("en", "de"):
        texts = [row["fr" if language == "de" and i in wrong else language] for i, row in enumerate(sentences, 1)]
        Path(f"train.{language}").write_text("".join(f"{text}\n" for text in texts))
    ask = "corpus", "--data", Path.cwd(), "--dev", 0, "--test", 0
    found = worked(call(*ask, "--model", polyglot.folder, "--out", "clean", "--drop-suspects"))
    assert "asking models of en-de and back about 300 pairs" in found.err
    listed = [line.split("\t")[:2] for line in Path("clean/suspects.tsv").read_text().splitlines()[1:]]
    assert {reason for _, reason in listed} == {"unlikely translation"}
    numbers = {int(number) for number, _ in listed}
    assert len(numbers & wrong) >= 27 and len(numbers - wrong) <= 6
    assert len(Path("clean/train.de").read_text().splitlines()) == 300 - len(numbers)
    check = *ask, "--check"
    assert json.loads(worked(call(*check, "--no-model", "--json")).out)["suspects"] == {}
    refused(call(*check, "--tgt", "it", "--model", polyglot.folder), "no --model translates en to it")
    refused(call(*check, "--no-model", "--model", polyglot.folder), "exclude each other")


# ---- from Python -----------------------------------------------------------------------------------------------------


def test_from_python(polyglot: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    model = seq2seq.load(polyglot.folder)
    assert model.directions == DIRECTIONS
    assert model.translate("3 1 2", to="fr", from_="en") == "1 2 3"
    assert model.translate(["3 1 2", "5 4"], to="fr", from_="de") == ["1 2 3", "4 5"]
    assert model.translate("3 1 2") == "2 1 3"
    assert model.score("3 1 2", "1 2 3", to="fr") > model.score("3 1 2", "1 2 3", to="de")
    with pytest.raises(InputError, match=KNOWN):
        model.translate("1", from_="fr", to="en")
    monkeypatch.setattr(
        "seq2seq.text.detection.rank", lambda text, known: [Likely("de" if text.startswith("3") else "en", 1.0)]
    )
    assert model.translate(["3 1 2", "5 4 0", ""], from_="auto", to="fr") == ["1 2 3", "0 4 5", ""]
    monkeypatch.setattr(
        "seq2seq.text.detection.rank", lambda text, known: [Likely("fr" if text.startswith("3") else "en", 1.0)]
    )
    assert model.translate(["3 1 2\n", "5 4"], from_="auto", to="fr") == ["3 1 2\n", "4 5"]
    assert [each.text for each in model.translate("3 1", from_="Auto", to="fr", nbest=2)] == ["3 1"]
    assert [s.value for s in seq2seq.evaluate(model, data=str(polyglot.data), tgt="fr", metrics=["bleu"])] == [
        polyglot.run.scores["test en-fr"][0].value
    ]
    assert polyglot.run.model.translate("3 1 2", to="fr") == "1 2 3"
    assert all(len(sample) == 4 for sample in polyglot.run.samples)


def test_the_model_is_opened_once(polyglot: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    from seq2seq.api import translator

    opened, real = list[Any](), translator.open_model
    monkeypatch.setattr(translator, "open_model", lambda *args: (opened.append(args), real(*args))[1])
    model = polyglot.run.model
    again = seq2seq.Translator(dict.fromkeys(model.directions, (polyglot.folder,)))
    start = threading.Barrier(2)

    def work(to: str) -> None:
        start.wait()
        again.translate("1 2", to=to)

    threads = [threading.Thread(target=work, args=[to]) for to in ("de", "fr")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
