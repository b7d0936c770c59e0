"""Training on a full disk or into a read-only folder: status 1, one line, and the last checkpoint is complete."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shell import ROOT, Result, call, environment, refused, snapshot, worked

from seq2seq.folder import checkpoint

MOUNT = ("unshare", "--map-root-user", "--mount", "sh", "-c")


def can_mount() -> bool:
    try:
        return subprocess.run([*MOUNT, "mount -t tmpfs none /mnt"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not can_mount(), reason="needs to mount a file system of its own (unshare)")


def mounted(mount: str, out: Path, *argv: object) -> Result:
    """Run `train ARGV` after the shell command `mount`, which mounts a folder `disk`; copy that to `out` at the end."""
    command = " ".join(map(str, [sys.executable, ROOT / "scripts" / "train.py", *argv]))
    script = f"{mount} && {command}; status=$?; cp -r disk {out}; exit $status"
    Path("disk").mkdir()
    done = subprocess.run([*MOUNT, script], env=environment(), capture_output=True, text=True)
    return Result(done.returncode, done.stdout, done.stderr)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, model: Path, corpus: Path, recipe: Path) -> None:
    """There is room for one checkpoint, not for two."""
    state = next((model / "training").iterdir()).stat().st_size
    weights = (model / "model.safetensors").stat().st_size
    size = (state + weights + weights // 2) // 1024 + 40
    text = ("--recipe", recipe, "--data", corpus, "--src", "en", "--tgt", "de", "--quiet")
    result = mounted(f"mount -t tmpfs -o size={size}k none disk", tmp_path / "copy", *text, "--out", "disk/model")
    refused(result, "cannot write", "No space left on device", status=1)
    checkpoint.load_model(tmp_path / "copy" / "model")
    assert not list((tmp_path / "copy").rglob("*.partial"))
    resumed = worked(call("train", "--resume", tmp_path / "copy" / "model", "--json", "--quiet"))
    assert json.loads(resumed.out)["updates"] == 120


def test_a_read_only_folder_is_not_changed(tmp_path: Path, model: Path) -> None:
    shutil.copytree(model, tmp_path / "model")
    before = snapshot(tmp_path / "model")
    bind = f"mount --bind {tmp_path / 'model'} disk && mount -o remount,bind,ro disk"
    longer = ("--set", "training.updates=180", "--quiet")
    result = mounted(bind, tmp_path / "copy", "--resume", "disk", *longer)
    refused(result, "cannot write disk/", "Read-only file system", status=1)
    assert snapshot(tmp_path / "copy") == before
    checkpoint.load_model(tmp_path / "copy")
