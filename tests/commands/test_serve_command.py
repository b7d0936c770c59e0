"""`serve`: it returns the translations of `translate`, ends at a signal, and refuses wrong options in one line."""

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from shell import PARTS, call, refused, start, worked

LINES = [*[en for en, _ in PARTS["train"]][:6], "Unknown words here."]


@pytest.mark.parametrize(("signum", "status", "memory"), [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, True)])
def test_it_returns_what_translate_writes_until_a_signal_ends_it(
    model: Path, corpus: Path, signum: int, status: int, memory: bool
) -> None:
    options = ["--memory", corpus, "--memory-share", 0.99] if memory else []
    text = "".join(f"{line}\n" for line in LINES)
    expected, without = (worked(call("translate", "--model", model, *o, stdin=text)).lines for o in (options, []))
    assert (expected == without) != memory
    with start("-m", "seq2seq", "serve", "--model", model, "--port", 0, "--threads", 1, *options) as process:
        url = process.stdout.readline().decode().strip()
        content = json.dumps({"q": "\n".join(LINES), "source": "en", "target": "de"}).encode()
        with urllib.request.urlopen(f"{url}/translate", content, timeout=60) as answer:
            assert json.load(answer)["translatedText"].split("\n") == expected
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (status, b"", b"")


def test_a_port_in_use_and_an_unknown_address_are_refused(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(call("serve", "--model", model, "--port", port), f"port {port}", "--port")
    refused(call("serve", "--model", model, "--host", "192.0.2.1"), "192.0.2.1", "--host")
    refused(call("serve", "--model", model, "--host", "nowhere.invalid"), "nowhere.invalid", "--host")


def test_two_models_of_one_direction_are_refused(model: Path) -> None:
    refused(call("serve", "--model", model, "--model", model), str(model), "en to de")


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    refused(call("serve", "--model", tmp_path / "none"), str(tmp_path / "none"))
