"""Documents: translated into the same format, found under a secret name, and deleted."""

import os
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from asking import ask, multipart
from served import Serving, Translators

from seq2seq.serving.files import KEPT_SECONDS, Downloads
from seq2seq.serving.limits import RefusedError

PAIR = {"source": "en", "target": "de"}
DOCUMENTS = {
    "a.txt": b"A cat sleeps.\n\n  Two dogs.\n",
    "a.html": b"<p>A <b>cat</b> sleeps.</p>",
    "a.md": b"# A cat\n\n- Two *dogs*\n",
    "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\nA cat sleeps.\n",
    "a.csv": b"name,text\nx,A cat sleeps.\n",
}


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_document_comes_back_translated_in_its_format(languages: str, name: str) -> None:
    columns = {"columns": ["text"]} if name == "a.csv" else {}
    body, kind = multipart({"file": (name, DOCUMENTS[name]), **PAIR, "source": "auto", **columns})
    answer = ask(f"{languages}/translate_file", body, content_type=kind)
    assert answer.status == 200
    file = ask(answer.content["translatedFileUrl"])
    assert f"a_de.{name[2:]}" in file.headers["content-disposition"]
    assert file.content != DOCUMENTS[name] and file.content.count(b"\n") == DOCUMENTS[name].count(b"\n")


@pytest.mark.parametrize(
    ("fields", "status", "names"),
    [
        ({}, 400, "file"),
        ({"file": "no file"}, 400, "file"),
        ({"file": ("a.exe", b"x")}, 400, ".exe"),
        ({"file": ("a.docx", b"no archive")}, 400, "zip"),
        ({"file": ("a.txt", b"\xff")}, 400, "UTF-8"),
        ({"file": ("a.csv", b"x")}, 400, "columns"),
        ({"file": ("a.txt", b"x"), "target": "it"}, 400, "it"),
        ({"file": ("a.txt", b"x"), "source": ""}, 400, "source"),
    ],
)
def test_what_is_no_document_is_refused(languages: str, fields: dict[str, object], status: int, names: str) -> None:
    body, kind = multipart({**PAIR, **fields})  # type: ignore[dict-item]
    answer = ask(f"{languages}/translate_file", body, content_type=kind)
    assert answer.status == status and names in answer.content["error"]


def test_an_archive_that_would_unpack_to_too_much_is_refused(languages: str) -> None:
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"\0" * 90_000_000)
    body, kind = multipart({"file": ("a.docx", bomb.getvalue()), **PAIR})
    assert ask(f"{languages}/translate_file", body, content_type=kind).status == 400


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "x", ".", "%00", "a" * 22 + ".txt"])
def test_only_a_secret_name_finds_a_document(languages: str, name: str) -> None:
    assert ask(f"{languages}/download_file/{name}").status == 404


def test_documents_are_deleted_after_some_minutes_and_their_room_is_bounded(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path)
    secret = downloads.keep(b"x", "../über / the\\ü b.TXT", "de")
    assert downloads.find(secret) == (tmp_path / secret, "b_de.TXT")
    other = downloads.keep(b"y", "", "de")
    assert downloads.find(other) and secret != other
    old = time.time() - KEPT_SECONDS - 1
    os.utime(tmp_path / secret, (old, old))
    assert downloads.find(secret) is None and list(tmp_path.iterdir()) == [tmp_path / other]
    with (tmp_path / other).open("wb") as file:
        file.truncate(500_000_000)
    with pytest.raises(RefusedError):
        downloads.keep(b"x", "a.txt", "de")


def test_nothing_of_an_upload_is_left(serving: Serving, shipped: Translators, tmp_path: Path) -> None:
    with serving(shipped) as url:
        body, kind = multipart({"file": ("a.txt", b"A cat.\n" * 3), **PAIR})
        address = ask(f"{url}/translate_file", body, content_type=kind).content["translatedFileUrl"]
        assert [path.name for path in tmp_path.iterdir()] == [address.rpartition("/")[2]]
