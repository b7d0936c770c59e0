"""Text larger than memory: mapped text gives the batches and the weights of the same text in memory."""

import json
import os
import random
import re
import shutil
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reversal_task import AS_IT_STANDS, TINY_MODEL, TINY_TRAINING, silent

from seq2seq.api.training import train
from seq2seq.errors import InputError, Interrupted, WorkError
from seq2seq.text import tokenizer
from seq2seq.text.multilingual import Corpora
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training import mapped_corpus, mapped_rows, pair_store, settings, text_cache
from seq2seq.training.epochs import TrainingData, fingerprint
from seq2seq.training.settings import Settings
from seq2seq.training.texts import prepare, training_data
from seq2seq.training.trainer import Trainer

Tokenizers = tuple[Tokenizer, Tokenizer]
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weights": {"where": ["=0.5", "=2"]},
    "languages": {"languages": ["a", "b", "c"], "src": "", "tgt": ""},
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and parts of few pairs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pair_store, "CHUNK", 30)
    monkeypatch.setattr(tokenizer, "CHUNK", 45)
    return tmp_path / "cache" / "seq2seq" / "text"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Pairs with repetitions, empty cells, names, numbers and full stops; some lack a language."""
    draw, lines = random.Random(1), ["a\tb\tc"]
    for i in range(150):
        words = [draw.choice(["Tom", "reads", "2", "ink", "ü", "2024-05-17"]) for _ in range(draw.randint(1, 7))]
        lines.append(f"{' '.join(words)}.\t{' '.join(words[::-1])}.\t{'' if i % 4 == 0 else words[0] + str(i % 50)}")
    path = tmp_path / "text.tsv"
    path.write_text("\n".join([*lines, lines[3], lines[5], "\tx\ty"]) + "\n", encoding="utf-8")
    return path


def chosen(table: Path, megabytes: int, kind: str = "plain", sampling: float = 0.0, **training: Any) -> Settings:
    data = {"src": "a", "tgt": "b", "dev_share": 0.1, "mapped_above": megabytes, **KINDS[kind]}
    where = data.get("where")
    if where:
        shutil.copy(table, table.with_name("more.tsv"))
        files = table, table.with_name("more.tsv")
        data["deduplicate"] = False
    data["where"] = [f"{file}{weight}" for file, weight in zip(files, where, strict=True)] if where else str(table)
    return settings.resolve(
        {
            "data": data,
            "tokenizer": {"vocab_size": 320, "sampling": sampling},
            "text": {"lowercase": 0.3, "unpunctuated": 0.3, "names": 0.5},
            "training": {"batch_tokens": 120, **training},
        }
    )


def with_change(resolved: Settings, **change: float) -> Settings:
    section = "tokenizer" if "sampling" in change else "data"
    return resolved._replace(**{section: replace(getattr(resolved, section), **change)})


def data_of(resolved: Settings, corpora: Corpora, learnt: Tokenizers | None = None) -> tuple[TrainingData, str]:
    tokenizers = learnt or prepare(resolved, corpora, silent)
    data = training_data(resolved, corpora, tokenizers)
    return data, data.kept.fingerprint if data.kept else fingerprint(corpora, tokenizers)


def epochs(data: TrainingData, *numbers: int) -> list[Any]:
    found = []
    for number in numbers:
        plan = data.load_epoch(number)
        batches = [[x.tolist() for x in data.batch(rows)[:5]] for rows in plan]
        found.append((list(plan), batches, [data.text(row) for row in range(len(data.rows))]))
    return found


@pytest.mark.parametrize(
    ("kind", "sampling"), [("plain", 0.0), ("weights", 0.4), ("languages", 0.0), ("languages", 0.4)]
)
def test_mapped_text_gives_the_batches_of_text_in_memory(table: Path, cache: Path, kind: str, sampling: float) -> None:
    in_memory, mapped = (chosen(table, megabytes, kind, sampling) for megabytes in (1000, 0))
    texts = [mapped_corpus.load(resolved.data, None, silent, quiet=True) for resolved in (in_memory, mapped)]
    assert [len(mapped_rows._mapped(text)) for text in texts] == [0, len(texts[1])]
    for direction, one in texts[0].items():
        other = texts[1][direction]
        assert list(one.train) == list(other.train) and one[1:] == other[1:], direction
        assert len(one.train) > 2 * pair_store.CHUNK
    (one, print_of_one), (other, print_of_other) = data_of(in_memory, texts[0]), data_of(mapped, texts[1])
    assert print_of_one == print_of_other
    expected = epochs(one, 0, 1, 2)
    assert epochs(other, 0, 1, 2) == expected
    assert len(list(cache.glob("epoch-*/about.json"))) <= 3, "epoch 0 is removed; 3 may be there"
    again, _ = data_of(mapped, mapped_corpus.load(mapped.data, None, silent, quiet=True))
    assert epochs(again, 2, 0) == [expected[2], expected[0]]
    if sampling:
        learnt = prepare(mapped, texts[1], silent)
        for changed in ({"sampling": 0.2}, {"temperature": 5.0}):
            one, other = (
                data_of(with_change(resolved, **changed), text, learnt)[0]
                for resolved, text in zip((in_memory, mapped), texts, strict=True)
            )
            found = epochs(other, 0)
            assert found == epochs(one, 0)
            assert found != expected[:1] or ("temperature" in changed and kind != "languages")


@pytest.mark.parametrize("kind", ["plain", "languages"])
def test_mapped_text_teaches_the_same_words(tmp_path: Path, kind: str) -> None:
    names = [f"Gu{''.join('aeiounmkst'[int(digit)] for digit in str(i))}" for i in range(100, 200)]
    lines = [f"He saw {name} there.\tEr sah {name} dort {i}.\t{name} {i}" for i, name in enumerate(names)]
    path = tmp_path / "text.tsv"
    path.write_text("\n".join(["a\tb\tc", *lines, "it is old\tes ist alt\tx"]) + "\n", encoding="utf-8")
    found = []
    for megabytes in (1000, 0, 0):
        resolved = chosen(path, megabytes, kind)
        corpora = mapped_corpus.load(resolved.data, None, silent, quiet=True)
        found.append(prepare(resolved, corpora, silent)[0].known_words)
    assert found[0] is not None
    assert found[0].kept["a", "b"] == (True, False)
    assert found[0].words["a"] == "he saw there"
    assert found == [found[0]] * 3
    train = corpora["a", "b"].train
    words = {word.lower() for pair in train for word in re.findall(r"\w{2,}", pair.src)}
    assert [mapped_rows.source_words(pairs) for pairs in (list(train), train, train)] == [sorted(words)] * 3
    for section, change in (("text", {"names": 0.0}), ("text", {"keep": False}), ("tokenizer", {"placeholders": 0})):
        other = resolved._replace(**{section: replace(getattr(resolved, section), **change)})
        assert prepare(other, corpora, silent)[0].known_words is None


@pytest.mark.parametrize("many", [False, True], ids=["one direction", "many languages"])
def test_a_source_is_read_as_often_as_its_weight_says(table: Path, many: bool) -> None:
    resolved = chosen(table, 1000, "weights")
    if many:
        resolved = resolved._replace(data=replace(resolved.data, languages=("a", "b"), src="", tgt="", temperature=1.0))
    corpora = mapped_corpus.load(resolved.data, None, silent, quiet=True)
    weights = np.concatenate([corpus.weights for corpus in corpora.values()])
    data, _ = data_of(resolved, corpora)
    counts = np.zeros(len(weights))
    for epoch in range(2):
        data.load_epoch(epoch)
        counts += np.bincount(data.rows, minlength=len(weights))
    assert set(weights) == {0.5, 2.0}
    assert (counts == 2 * weights).all()


def options(table: Path, out: Path, megabytes: int, **more: Any) -> dict[str, Any]:
    sections: dict[str, Mapping[str, Any]] = {
        "text": AS_IT_STANDS,
        "model": TINY_MODEL,
        "training": TINY_TRAINING | {"epochs": 2, "validate_every": 8, "workers": 2, "dev_pairs": 5},
        "tokenizer": {"vocab_size": 320, "sampling": 0.4},
        "data": {"mapped_above": megabytes, "dev_share": 0.1},
    }
    values = {f"{section}.{name}": value for section, some in sections.items() for name, value in some.items()}
    return {"data": table, "src": "a", "tgt": "b", "out": out, "set": values, "recipe": "auto", "quiet": True} | more


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_run_with_mapped_text_is_stopped_and_resumed_to_the_bit(
    table: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that is not stopped has its text in memory. Each has two processes."""
    whole = train(**options(table, tmp_path / "whole", 1000))
    assert not cache.exists()
    real = Trainer._update

    def update(self: Trainer, batches: list[Any]) -> None:
        real(self, batches)
        if self.progress.step == whole.updates // 2 + 1:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_update", update)
        with pytest.raises(Interrupted):
            train(**options(table, tmp_path / "kept", 0))
    shutil.copytree(tmp_path / "kept", tmp_path / "deleted")
    for name in ("kept", "deleted"):
        if name == "deleted":
            shutil.rmtree(cache)
        assert train(resume=tmp_path / name, quiet=True).updates == whole.updates > 20
        assert weights(tmp_path / name) == weights(tmp_path / "whole")
        assert list(cache.glob("rows-*"))


def rows_store(table: Path, cache: Path) -> tuple[Path, list[Any]]:
    resolved = chosen(table, 0)
    data, _ = data_of(resolved, mapped_corpus.load(resolved.data, None, silent, quiet=True))
    [folder] = cache.glob("rows-*[0-9a-f]")
    return folder, epochs(data, 0)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def foreign(path: Path) -> None:
    about = json.loads(path.with_name("about.json").read_bytes())
    path.with_name("about.json").write_text(json.dumps(about | {"key": "another"}), encoding="utf-8")


DAMAGES = {
    "flipped": flip,
    "cut": lambda path: os.truncate(path, path.stat().st_size - 2),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0\0"),
    "missing": lambda path: path.unlink(),
    "foreign": foreign,
    "description": lambda path: path.with_name("about.json").write_text("{", encoding="utf-8"),
}


def test_a_damaged_store_is_made_again(table: Path, cache: Path) -> None:
    folder, expected = rows_store(table, cache)
    about = (folder / "about.json").read_bytes()
    for damage in DAMAGES.values():
        damage(folder / "tgt")
        assert rows_store(table, cache) == (folder, expected), damage
        assert (folder / "about.json").read_bytes() == about


def test_a_change_of_the_text_is_noticed(table: Path, cache: Path) -> None:
    """Even with the size and the time of the file as they were."""
    _, before = rows_store(table, cache)
    times, text = table.stat(), table.read_bytes()
    table.write_bytes(text.replace(b"ink", b"inn"))
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    resolved = chosen(table, 0)
    data, _ = data_of(resolved, mapped_corpus.load(resolved.data, None, silent, quiet=True))
    assert epochs(data, 0) != before
    table.write_bytes(text)
    said = list[str]()
    mapped_corpus.load(resolved.data, None, said.append, quiet=True)
    assert ["prepared before" in line for line in said] == [True]


def test_after_a_kill_the_parts_that_were_made_are_kept(
    table: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = rows_store(table, cache)[1]
    shutil.rmtree(cache)
    real, written = text_cache.write_part, list[str]()

    def write_part(folder: Path, number: int, arrays: Any) -> None:
        if len(written) == stop:
            raise WorkError("killed")
        written.append(f"{folder.name} {number}")
        real(folder, number, arrays)

    monkeypatch.setattr(text_cache, "available_threads", lambda: 1)  # so that all parts are written here
    for module in (text_cache, mapped_corpus, mapped_rows):
        monkeypatch.setattr(module, "write_part", write_part)
    for stop in (2, 5, 9, 1000):
        with pytest.raises(WorkError) if stop < 1000 else pytest.MonkeyPatch.context():
            assert rows_store(table, cache)[1] == expected
    assert len(written) == len(set(written)) > 12, "each part was written once"


def test_sizes_become_positions_and_parts_may_be_empty(cache: Path) -> None:
    def make(folder: Path) -> dict[str, Any]:
        for number, sizes in enumerate([[], [2, 3], [], [1], []]):
            arrays = {"text": np.arange(sum(sizes), dtype=np.uint8), "text.sizes": np.array(sizes, np.int32)}
            text_cache.write_part(folder, number, arrays)
        return {"made": True}

    origin = text_cache.opened_cache(silent, quiet=True)
    assert origin
    for new in (True, False):
        store = text_cache.stored(origin, "some", "key", make)
        assert (store.new, store.about, store.folder) == (new, {"made": True}, cache / "some-key")
        assert store.arrays["text"].tolist() == [0, 1, 2, 3, 4, 0]
        assert store.arrays["text.ends"].tolist() == [0, 2, 5, 6]


def test_text_that_is_wrong_leaves_nothing(table: Path, cache: Path) -> None:
    table.write_text("a\tb\nx\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputError, match=r"text\.tsv"):
            mapped_corpus.load(chosen(table, 0).data, None, silent, quiet=True)
    assert not list(cache.glob("*/about.json"))


def test_the_stores_that_were_not_used_for_long_are_removed(
    table: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = rows_store(table, cache)
    monkeypatch.setattr(text_cache, "MOST_BYTES", 1000)
    said = list[str]()
    text_cache.opened_cache(said.append, quiet=True)
    assert folder.exists() and not said, "it was used just now"
    os.utime(folder, (0, 0))
    text_cache.opened_cache(said.append, quiet=True)
    assert not folder.exists() and len(said) == 1 and str(folder) in said[0]


def test_without_a_cache_the_text_is_held_in_memory(table: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    said = list[str]()
    text = mapped_corpus.load(chosen(table, 0).data, None, said.append, quiet=True)
    assert not mapped_rows._mapped(text) and len(said) == 1 and "XDG_CACHE_HOME" in said[0]
