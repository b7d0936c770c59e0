"""`serve`: it starts, answers as translate does, ends when it is told to, and says what is wrong."""

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from shell import PARTS, call, refused, start, worked

LINES = [*[en for en, _ in PARTS["train"]][:6], "Unknown words here."]


@pytest.mark.parametrize(
    ("signum", "status", "looking"), [(signal.SIGINT, 130, False), (signal.SIGTERM, -signal.SIGTERM, True)]
)
def test_it_answers_as_translate_does_until_it_is_told_to_end(
    model: Path, corpus: Path, signum: int, status: int, looking: bool
) -> None:
    options = ["--memory", corpus, "--memory-share", 0.99] if looking else []
    given = "".join(f"{line}\n" for line in LINES)
    expected, other = (worked(call("translate", "--model", model, *o, stdin=given)).lines for o in (options, []))
    assert (expected == other) != looking
    with start("-m", "seq2seq", "serve", "--model", model, "--port", 0, "--threads", 1, *options) as process:
        url = process.stdout.readline().decode().strip()
        asked = json.dumps({"q": "\n".join(LINES), "source": "en", "target": "de"}).encode()
        with urllib.request.urlopen(f"{url}/translate", asked, timeout=60) as answer:
            assert json.load(answer)["translatedText"].split("\n") == expected
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (status, b"", b"")


def test_a_port_that_is_taken_and_an_address_that_is_nowhere_are_named(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(call("serve", "--model", model, "--port", port), f"port {port}", "--port")
    refused(call("serve", "--model", model, "--host", "192.0.2.1"), "192.0.2.1", "--host")
    refused(call("serve", "--model", model, "--host", "nowhere.invalid"), "nowhere.invalid", "--host")


def test_two_models_of_one_direction_are_one_too_many(model: Path) -> None:
    refused(call("serve", "--model", model, "--model", model), str(model), "en to de")


def test_no_model_no_server(tmp_path: Path) -> None:
    refused(call("serve", "--model", tmp_path / "none"), str(tmp_path / "none"))
