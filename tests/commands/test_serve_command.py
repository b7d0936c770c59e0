"""`serve`: it returns the translations of `translate`, ends at a signal, and refuses wrong options in one line."""

import http.client
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.error import HTTPError

import pytest
from shell import PARTS, call, refused, start, worked

LINES = [*[en for en, _ in PARTS["train"]][:6], "Unknown words here."]


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's cache, instead of the one of who runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@contextmanager
def served(*options: object) -> Iterator[tuple[Popen[bytes], str]]:
    """A server and its address."""
    with start("-m", "seq2seq", "serve", "--port", 0, "--threads", 1, *options) as process:
        assert process.stdout
        yield process, process.stdout.readline().decode().strip()


def translated(url: str, text: str, **fields: object) -> Any:
    content = json.dumps({"q": text, "source": "en", "target": "de", **fields}).encode()
    with urllib.request.urlopen(f"{url}/translate", content, timeout=60) as answer:
        return json.load(answer)["translatedText"]


@pytest.mark.parametrize(("signum", "status", "memory"), [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, True)])
def test_it_returns_what_translate_writes_until_a_signal_ends_it(
    model: Path, exported: Path, corpus: Path, signum: int, status: int, memory: bool
) -> None:
    options = ["--memory", corpus, "--memory-share", 0.99] if memory else []
    model = model if memory else exported
    text = "".join(f"{line}\n" for line in LINES)
    expected, without = (worked(call("translate", "--model", model, *o, stdin=text)).lines for o in (options, []))
    assert (expected == without) != memory
    with served("--model", model, "--exact", *options) as (process, url):
        assert translated(url, "\n".join(LINES)).split("\n") == expected
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (status, b"", b"")


def test_a_trained_model_is_exported_once_into_the_cache_and_served_by_processes(model: Path, cache: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in model.rglob("*")}
    for first in (True, False):
        with served("--model", model, "--workers", 2, "--api-keys", _keys(cache), "--url-prefix", "/mt") as (
            process,
            url,
        ):
            with ThreadPoolExecutor(8) as clients:
                texts = list(clients.map(lambda line: translated(url, line, api_key="k"), LINES * 3))
            with urllib.request.urlopen(f"{url}/metrics") as page:
                assert b'seq2seq_requests_total{route="translate",status="200"} 21.0' in page.read()
            _replaced(process.pid)
            assert translated(url, LINES[0], api_key="k") == texts[0]
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (143, b"")
        assert (b"exporting" in err) == first and len(err.splitlines()) == first
        [folder] = (cache / "seq2seq" / "exported").iterdir()
        expected = worked(call("translate", "--model", folder, stdin="".join(f"{line}\n" for line in LINES))).lines
        assert texts == expected * 3
    assert {path: path.stat().st_mtime_ns for path in model.rglob("*")} == before


def _replaced(pid: int) -> None:
    """Kill a process of the server, and wait for another in its place."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    before = set(children.read_text().split())
    os.kill(int(min(before)), signal.SIGKILL)
    for _ in range(100):
        time.sleep(0.1)
        if len(after := set(children.read_text().split())) == len(before) and after != before:
            return
    raise AssertionError("it was not replaced")


def _keys(folder: Path) -> Path:
    path = folder / "keys.toml"
    path.write_text('[a]\nkey = "k"\n', encoding="utf-8")
    return path


def test_at_a_signal_what_was_accepted_is_answered_and_an_unfinished_body_is_not_waited_for(model: Path) -> None:
    with served("--model", model, "--exact") as (process, url):
        host, port = url.removeprefix("http://").split(":")
        assert translated(url, LINES[0])
        stuck = socket.create_connection((host, int(port)))
        stuck.sendall(f"POST /translate HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nq=".encode())
        body = json.dumps({"q": [f"{LINES[0]} {i}" for i in range(60)], "source": "en", "target": "de"})
        asked = [http.client.HTTPConnection(host, int(port), timeout=60) for _ in range(4)]
        for client in asked:
            client.request("POST", "/translate", body, {"Content-Type": "application/json"})
        time.sleep(0.5)  # they are accepted
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        answers = [client.getresponse() for client in asked]
        assert [answer.status for answer in answers] == [200] * 4
        assert all(len(json.load(answer)["translatedText"]) == 60 for answer in answers)
        with pytest.raises(OSError):
            socket.create_connection((host, int(port)), timeout=1)
        process.communicate(timeout=60)
        assert time.monotonic() - begin < 15  # less than the time of grace
        for connection in (stuck, *asked):
            connection.close()


def test_suggestions_are_kept_in_a_file_and_the_host_is_checked(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    file = tmp_path / "suggestions.jsonl"
    fields = {"q": "A cat", "s": "Die Katze 🙂", "source": "en", "target": "de"}
    options = "--model", model, "--exact", "--suggestions", file, "--allow-host", "mt.example"
    with served(*options) as (process, url):
        for _ in range(2):
            with urllib.request.urlopen(f"{url}/suggest", json.dumps(fields).encode()) as answer:
                assert json.load(answer) == {"success": True}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/health", headers={"Host": "mt.example"})) as answer:
            assert answer.status == 200
        with pytest.raises(HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(f"{url}/health", headers={"Host": "evil.example"}))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == [fields] * 2
    assert list(tmp_path.iterdir()) == [file], "its folder of documents is removed"


def test_a_port_in_use_and_an_unknown_address_are_refused(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(call("serve", "--model", model, "--exact", "--port", port), f"port {port}", "--port")
        refused(call("serve", "--model", "missing", "--port", port), f"port {port}")  # before any model is opened
    refused(call("serve", "--model", model, "--exact", "--host", "192.0.2.1"), "192.0.2.1", "--host")
    refused(call("serve", "--model", model, "--exact", "--host", "nowhere.invalid"), "nowhere.invalid", "--host")


def test_wrong_options_are_refused(model: Path, tmp_path: Path) -> None:
    refused(call("serve", "--model", model, "--exact", "--model", model), str(model), "en to de")
    refused(call("serve", "--model", tmp_path / "none"), str(tmp_path / "none"))
    refused(call("serve", "--model", model, "--api-keys", tmp_path / "none"), str(tmp_path / "none"))
    refused(call("serve", "--model", model, "--workers", 2, "--threads", 2), "--workers 2", "--threads")
    for site in ("example.org", "https://example.org/", "https://example.org/page", "://x"):
        refused(call("serve", "--model", model, "--cors", site), f"--cors {site}", "https://example.org")
    for name in ("https://mt.example.org", "mt.example.org:8000", "mt.example.org/"):
        refused(call("serve", "--model", model, "--allow-host", name), f"--allow-host {name}", "mt.example.org")
    for file in (tmp_path, tmp_path / "none" / "file"):
        refused(call("serve", "--model", model, "--suggestions", file), f"--suggestions {file}", "cannot be written")
    for prefix in ("mt", "/m t", "/mt?x", "/mü"):
        refused(call("serve", "--model", model, "--url-prefix", prefix), "--url-prefix", prefix)
