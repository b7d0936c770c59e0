"""Files of training states: they are read back equal, the newest are kept, a failure leaves the older ones."""

import errno
import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from seq2seq.errors import InputError, WorkError
from seq2seq.folder import files
from seq2seq.training import resume


def groups(value: float = 1.0, size: int = 1) -> resume.Groups:
    return {"weights": {"w": torch.full((size,), value)}}


def test_a_state_is_read_back_equal(tmp_path: Path) -> None:
    saved: resume.Groups = {
        "weights": {
            "a": torch.randn(3, 2).t(),
            "b/c": torch.arange(4),
        },  # a is not contiguous
        "step": {"a": torch.tensor(7.0)},
    }
    numbers = {"step": 7, "best": -float("inf"), "rate": 0.1, "metrics": [{"bleu": 1 / 3}], "word": "ü"}
    resume.save(tmp_path, 7, saved, numbers, keep=1)
    loaded, loaded_numbers = resume.load(tmp_path)
    assert loaded_numbers == numbers
    assert {group: set(named) for group, named in loaded.items()} == {"weights": {"a", "b/c"}, "step": {"a"}}
    assert all(torch.equal(loaded[group][name], t) for group, named in saved.items() for name, t in named.items())


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_newest_states_are_kept_and_the_newest_is_read(tmp_path: Path, keep: int) -> None:
    steps = [1, 9, 10, 99, 100, 1000]
    files.write(tmp_path / "training" / "a note of mine", b"")
    for n, step in enumerate(steps, 1):
        resume.save(tmp_path, step, groups(), {"step": step}, keep)
        note, *kept = sorted((tmp_path / "training").iterdir())
        assert note.name == "a note of mine"
        assert [int(path.stem.removeprefix("step-")) for path in kept] == steps[:n][-keep:]
        assert [resume.load(tmp_path, age)[1]["step"] for age in range(len(kept))] == steps[:n][-keep:][::-1]


def test_a_state_that_cannot_be_written_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resume.save(tmp_path, 1, groups(), {"step": 1}, keep=1)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", full)
        with pytest.raises(WorkError):
            resume.save(tmp_path, 2, groups(), {"step": 2}, keep=1)
    assert resume.load(tmp_path)[1] == {"step": 1}


def test_without_a_state_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="training holds no training state; there is nothing to resume"):
        resume.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_damaged_state_is_named_and_the_one_before_it_can_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    for step in (1, 2):
        resume.save(tmp_path, step, groups(size=100), {"step": step}, keep=2)
    newest = tmp_path / "training" / "step-00000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] if content is None else content)
    with pytest.raises(InputError) as error:
        resume.load(tmp_path)
    assert str(error.value).startswith(f"{newest} is damaged (")
    assert str(error.value).endswith("; remove it to resume from the state before it")
    newest.unlink()
    assert resume.load(tmp_path)[1] == {"step": 1}


@pytest.mark.parametrize("metadata", [None, {}, {"state": "no JSON"}, {"state": "{}"}])
def test_a_state_without_its_numbers_or_groups_is_damaged(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "training" / "step-00000001.safetensors"
    files.write(path, safetensors.torch.save({"w": torch.ones(1)}, metadata))
    with pytest.raises(InputError, match=r"step-00000001\.safetensors is damaged"):
        resume.load(tmp_path)


def test_the_numbers_are_json_in_the_metadata(tmp_path: Path) -> None:
    resume.save(tmp_path, 1, groups(), {"step": 1}, keep=1)
    content = (tmp_path / "training" / "step-00000001.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["state"]) == {"step": 1}


def test_the_newest_states_are_averaged_by_their_moving_averages_if_there_are_any(tmp_path: Path) -> None:
    for step, value in enumerate((8.0, 1.0, 3.0), 1):
        resume.save(tmp_path, step, groups(value), {}, keep=3)
    assert resume.average_weights(tmp_path, 2)["w"].item() == 2.0
    for step, value in enumerate((8.0, 1.0, 3.0), 1):
        resume.save(tmp_path, step, groups(0.0) | {"average": {"w": torch.full((1,), value)}}, {}, keep=3)
    assert resume.average_weights(tmp_path, 3)["w"].item() == 4.0
    with pytest.raises(InputError, match="holds 3 training states, fewer than 4; ask for an average of fewer"):
        resume.average_weights(tmp_path, 4)
